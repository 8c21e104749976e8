"""Equal specs are summed up alike in every process, and any difference shows."""

from __future__ import annotations

from typing import Any

import pytest

from actors.recovery.retry import Retry
from supervisor.planning import Setting
from supervisor.specs import ChildSpec, GroupSpec, PoolSpec, TreeSpec
from supervisor.specs.summary import summarise, summarise_tree
from tests.unit.specs.scene import HERE, Anything, Cart


class Thing:
    def __init__(self, value: int) -> None:
        self.value = value


def args_of(*args: Any) -> Setting:
    return summarise(ChildSpec(name="a", cls=Anything if not args else Takes, args=args))["a"].settings["args"]


class Takes:
    def __init__(self, *args: Any) -> None: ...


def test_a_tree_is_summed_up_by_path_in_start_order() -> None:
    pool = PoolSpec(name="p", cls=Cart, size=2)
    tree = TreeSpec(
        children=(ChildSpec(name="a", cls=Cart, standbys=1),),
        groups=(GroupSpec(name="g", intensity=4, children=(pool, GroupSpec(name="h"))),),
    )
    found = summarise_tree(tree)
    assert list(found) == ["a", "g", "g.p", "g.h"]
    assert [each.kind for each in found.values()] == ["child", "group", "pool", "group"]
    assert {each.origin for each in found.values()} == {"apply"}
    assert (found["a"].changed, found["g"].changed) == (("cls", "standbys"), ("intensity",))
    assert found["a"].settings["cls"].shown == f"{HERE}:Cart"
    assert "children" not in found["g"].settings


def test_what_code_makes_may_be_in_a_group() -> None:
    found = summarise(ChildSpec(name="a", cls=Cart), group="shop.eu")
    assert [(path, each.origin, each.group) for path, each in found.items()] == [("shop.eu.a", "code", "shop.eu")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([1, 2.0, None, True, b"x", "y"], [1, 2.0, None, True, b"x", "y"]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"x", "y", "z"}, {"z", "x", "y"}),
        ("x" * 1000, "x" * 1000),
        (Thing(1), Thing(1)),
        (int, int),
    ],
)
def test_equal_values_are_equal(one: Any, other: Any) -> None:
    assert args_of(one).same == args_of(other).same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (1, 1.0),
        (1, "1"),
        ([1], (1,)),
        ({"a": 1}, {"a": 2}),
        ({"x"}, ["x"]),
        ("x" * 1000, "x" * 1001),
        (Thing(1), Thing(2)),
        (int, str),
        ([[1], 2], [1, [2]]),
    ],
)
def test_different_values_differ(one: Any, other: Any) -> None:
    assert args_of(one).same != args_of(other).same


def test_an_integer_may_have_thousands_of_digits() -> None:
    assert args_of(10**5000).same == args_of(10**5000).same != args_of(10**5001).same


def test_data_without_a_bottom_is_summed_up_too() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert args_of(endless).same


def test_values_are_shown_in_few_characters() -> None:
    spec = ChildSpec(
        name="a",
        cls=Cart,
        args=("x" * 1000,),
        methods={"add": Retry(attempts=5, on=(OSError,))},
        retry=Retry(unknown="never"),
    )
    settings = summarise(spec)["a"].settings
    assert len(settings["args"].shown) < 80
    assert settings["methods"].shown == "{add: {attempts: 5, on: [builtins:OSError]}}"
    assert settings["retry"].shown == "{unknown: 'never'}"
