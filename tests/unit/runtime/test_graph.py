"""What needs what: rings are found and named, the rest has an order."""

from __future__ import annotations

import pytest

from actors.runtime.graph import closure, find_cycle, in_order

DIAMOND = {"web": ("api", "cache"), "api": ("db",), "cache": ("db",), "db": ()}


def test_each_comes_after_what_it_needs() -> None:
    assert in_order(DIAMOND) == ("db", "api", "cache", "web")
    assert find_cycle(DIAMOND) == ()


def test_what_is_needed_but_not_there_holds_nothing_up() -> None:
    assert in_order({"a": ("elsewhere",)}) == ("a",)
    assert find_cycle({"a": ("elsewhere",)}) == ()
    assert closure({"a": ("elsewhere",)}, "a") == {"elsewhere"}


@pytest.mark.parametrize(
    ("needs", "ring"),
    [
        ({"a": ("a",)}, ("a", "a")),
        ({"a": ("b",), "b": ("a",)}, ("a", "b", "a")),
        ({"a": ("b",), "b": ("c", "x"), "c": ("b",), "x": ()}, ("b", "c", "b")),
    ],
)
def test_a_ring_is_named_from_its_beginning_to_its_beginning(
    needs: dict[str, tuple[str, ...]], ring: tuple[str, ...]
) -> None:
    assert find_cycle(needs) == ring


def test_who_needs_a_ring_has_no_place_in_the_order() -> None:
    assert in_order({"a": ("b",), "b": ("a",), "c": ("a",), "d": ()}) == ("d",)


def test_the_closure_reaches_everything_needed_once() -> None:
    assert closure(DIAMOND, "web") == {"api", "cache", "db"}
    assert closure(DIAMOND, "nobody") == frozenset()
    assert closure({"a": ("b",), "b": ("a",)}, "a") == {"a", "b"}


def test_a_long_chain_is_no_deeper_than_a_short_one() -> None:
    chain = {str(n): (str(n + 1),) for n in range(20_000)}
    assert len(in_order(chain)) == 20_000
    assert len(closure(chain, "0")) == 20_000
    assert find_cycle(chain | {"19999": ("0",)})[0] == "0"
