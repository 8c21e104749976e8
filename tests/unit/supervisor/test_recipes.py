"""Recipes cross processes at every change of the tree: as the same values, and pickled once."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import pytest

from actors.recovery.retry import Retry
from supervisor.recipes import plans_of, want_resized, wants_of
from supervisor.room import Want
from supervisor.specs import ChildSpec, GroupSpec, PoolSpec
from supervisor.tree import ROOT, ChildPlan
from tests.unit.specs.scene import Cart

SPECS: list[ChildSpec | PoolSpec | GroupSpec] = [
    ChildSpec(name="a", cls=Cart, standbys=1),
    PoolSpec(name="p", cls=Cart, size=2),
    GroupSpec(name="g", supervisor=True, children=(ChildSpec(name="a", cls=Cart),)),
]


def recipes(spec: ChildSpec | PoolSpec | GroupSpec) -> list[Any]:
    wish = plans_of(spec, parent=ROOT, origin="code")
    return [plan.recipe for plan in (*wish.groups, *wish.children)]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: type(spec).__name__)
def test_a_recipe_arrives_as_it_was_and_goes_on_as_it_came(spec: ChildSpec | PoolSpec | GroupSpec):
    for recipe in recipes(spec):
        data = pickle.dumps(recipe)
        arrived = pickle.loads(data)
        assert arrived == recipe
        assert pickle.dumps(arrived) == data == pickle.dumps(recipe)


def test_what_is_changed_is_pickled_anew():
    [recipe] = recipes(SPECS[0])
    pickle.dumps(recipe)
    moved = replace(recipe, node="n2")
    assert pickle.loads(pickle.dumps(moved)).node == "n2"
    assert pickle.loads(pickle.dumps(recipe)).node is None


def test_the_members_of_a_pool_share_theirs_on_the_way_too():
    wish = plans_of(PoolSpec(name="p", cls=Cart, size=50), parent=ROOT, origin="code")
    one = len(pickle.dumps(wish.children[:1]))
    assert len(pickle.dumps(wish.children)) < 10 * one
    arrived: tuple[ChildPlan, ...] = pickle.loads(pickle.dumps(wish.children))
    assert len({id(plan.recipe) for plan in arrived}) == 1


def child_plan(**settings: Any) -> ChildPlan:
    given: dict[str, Any] = {"name": "a", "cls": Cart, **settings}
    return plans_of(ChildSpec(**given), parent=ROOT, origin="code").children[0]


@pytest.mark.parametrize(
    "settings",
    [
        {"args": (1,)},
        {"kwargs": {"limit": 3}},
        {"checkpoint": 5.0},
        {"checkpoint": 5.0, "checkpoint_path": "memory://a"},
        {"num_cpus": 0.5},
        {"resources": {"disk": 1}},
        {"max_concurrency": 2},
        {"share_process": True},
        {"node": "n"},
        {"cls": dict},
    ],
    ids=lambda settings: next(reversed(settings)),
)
def test_what_is_built_into_a_life_makes_another_fingerprint(settings: dict[str, Any]):
    assert child_plan(**settings).fingerprint != child_plan().fingerprint


def test_another_checkpoint_version_makes_another_fingerprint(monkeypatch: pytest.MonkeyPatch):
    before = child_plan(checkpoint=5.0)
    monkeypatch.setattr(Cart, "checkpoint_version", 2, raising=False)
    assert child_plan(checkpoint=5.0).fingerprint != before.fingerprint


@pytest.mark.parametrize(
    "settings",
    [
        {"standbys": 1},
        {"heartbeat_s": 0.5},
        {"shutdown_s": 9.0},
        {"restart": "transient"},
        {"retry": Retry(attempts=9)},
        {"methods": {"add": Retry(attempts=9)}},
        {"breaker": "db"},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_what_holds_at_once_does_not(settings: dict[str, Any]):
    changed = child_plan(**settings)
    assert changed.fingerprint == child_plan().fingerprint
    assert (changed.interface != child_plan().interface) == bool(settings.keys() & {"retry", "methods", "breaker"})


def test_a_group_with_a_supervisor_of_its_own_is_another_one_on_another_node():
    groups = [GroupSpec(name="g", supervisor=True, node=node) for node in (None, None, "n")]
    prints = [plans_of(spec, parent=ROOT, origin="code").children[0].fingerprint for spec in groups]
    assert prints[0] == prints[1] != prints[2]


def test_what_specs_ask_for_with_all_that_is_in_them() -> None:
    spec = GroupSpec(
        name="shop",
        supervisor=True,
        node="left",
        children=(
            ChildSpec(name="cart", cls=Cart, num_cpus=0.5, standbys=1),
            PoolSpec(name="clerks", cls=Cart, size=3, standbys=2, num_gpus=1, resources={"scales": 2}, node="right"),
            GroupSpec(name="in", children=(ChildSpec(name="x", cls=Cart),)),
        ),
    )
    found = list(wants_of(spec, "eu.shop"))
    assert found == [
        Want(path="eu.shop", asked={}, node="left"),
        Want(path="eu.shop.cart", asked={"CPU": 0.5}, count=2),
        Want(path="eu.shop.clerks", asked={"GPU": 1.0, "scales": 2.0}, count=5, node="right"),
        Want(path="eu.shop.in", asked={}),
        Want(path="eu.shop.in.x", asked={}),
    ]


def test_other_numbers_ask_for_more_or_less_of_the_same():
    spec = PoolSpec(name="p", cls=Cart, size=2, standbys=1, num_cpus=0.5, node="a")
    pool = plans_of(spec, parent=ROOT, origin="code").groups[0]
    for size, standbys, count in ((None, None, 3), (5, None, 6), (None, 0, 2), (5, 2, 7)):
        wish = want_resized(pool, "p", size=size, standbys=standbys)
        assert wish == Want(path="p", asked={"CPU": 0.5}, count=count, node="a")
    child = plans_of(ChildSpec(name="c", cls=Cart, standbys=1), parent=ROOT, origin="code").children[0]
    assert want_resized(child, "c", size=None, standbys=3) == Want(path="c", asked={}, count=4)
    group = plans_of(GroupSpec(name="g"), parent=ROOT, origin="code").groups[0]
    assert want_resized(group, "g", size=None, standbys=None) is None
