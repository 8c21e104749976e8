"""Selectors mean whom they say, refuse to mean nobody or everybody, and draw the same with the same seed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.model.matrix import CELLS
from experiments.model.selector import Selector
from experiments.planning.inventory import Inventory, Target
from experiments.planning.selecting import Selected, select
from tests.unit.planning.scene import WORKERS, inventory

FITS = {"crash": CELLS["crash", "sigkill"], "latency": CELLS["latency", "delay"]}


def chosen(seed: int = 1, fault: str = "crash", there: Inventory | None = None, **said: Any) -> Selected:
    excluded = said.pop("excluded", ())
    found = there or inventory()
    return select(Selector(**said), found, fits=FITS[fault], seed=seed, place=0, excluded=excluded)


def names(**said: Any) -> list[str]:
    return [target.name for target in chosen(**said).drawn]


def test_a_node_is_meant_by_its_id_or_by_its_name() -> None:
    named = Target(name="worker/w9", kind="worker", node="9b3f", node_name="head")
    there = inventory(targets=(*inventory().targets, named))
    for node in ("head", "9b3f", "9b*"):
        assert [target.name for target in chosen(there=there, kind="worker", node=node).drawn] == ["worker/w9"]
    assert "matches nothing" in chosen(there=there, kind="worker", node="tail").problem


def test_each_condition_counts() -> None:
    assert names(kind="child") == ["child/cart"]
    assert names(name="cart") == names(name="child/c*") == ["child/cart"]
    assert names(labels={"app": "shop"}) == ["child/cart"]
    assert names(kind="worker", node="n1", percentage=100, group="default") == ["worker/w1", "worker/w3", "worker/w5"]
    assert len(names(kind="worker", percentage=34)) == 3
    assert names(kind="worker", everything=True) == [target.name for target in WORKERS]
    assert len(names(kind="worker", count=5, excluded=("worker/w0",))) == 5


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"kind": "breaker"}, "matches nothing that runs; there is none of that kind"),
        ({"kind": "child", "name": "crat"}, "matches nothing that runs; there are child/cart"),
        ({"name": "stock"}, "matches nothing that runs; there are"),
        ({"kind": "clock"}, "there is none of that kind"),
        ({"kind": "worker", "count": 7}, "wants 7, and only 6 match"),
        ({"kind": "worker", "count": 6}, "matches everything: all 6 of kind worker"),
        ({"kind": "worker", "percentage": 100}, "matches everything"),
        ({"kind": "child", "excluded": ("child/cart",)}, "only what is protected: child/cart"),
        ({"kind": "node", "fault": "latency"}, "matches nothing"),
    ],
)
def test_nothing_and_everything_are_refused_by_what_was_said(said: dict[str, Any], words: str) -> None:
    problem = chosen(**said).problem
    assert words in problem
    assert (
        Selector(**{key: value for key, value in said.items() if key not in ("excluded", "fault")}).described()
        in problem
    )


def test_a_dependency_is_named_and_not_looked_for() -> None:
    told = chosen(fault="latency", kind="dependency", name="pay*").problem
    assert told.endswith(
        "matches nothing that runs; there is none of that kind; give its host as name: nobody lists "
        "which hosts a cluster calls"
    )


def test_what_there_is_one_of_may_be_hit() -> None:
    assert chosen(kind="supervisor").problem == ""


@given(st.integers(0, 2**62), st.permutations(inventory().targets), st.integers(1, 5))
def test_the_draw_is_within_the_selection_whatever_order_the_inventory_has(seed: int, order: Any, count: int) -> None:
    there = inventory(targets=tuple(order))
    drawn = chosen(seed, there=there, kind="worker", count=count)
    assert drawn == chosen(seed, kind="worker", count=count)
    assert len(drawn.drawn) == count
    assert {target.kind for target in drawn.drawn} == {"worker"}


def test_every_target_is_drawn_by_some_seed() -> None:
    assert {names(seed=seed, kind="worker")[0] for seed in range(60)} == {target.name for target in WORKERS}
