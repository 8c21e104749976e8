"""Recipes cross processes at every change of the tree: as the same values, and pickled once."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import pytest

from supervisor.recipes import plans_of, wants_of
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
