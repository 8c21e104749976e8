"""Handles that came from another process."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest

from actors.runtime.arriving import Arriving

MADE: list[str] = []


class Handle(Arriving):
    def __init__(self, name: str) -> None:
        MADE.append(name)
        self.name = name
        self.calls = 0

    def call(self) -> int:
        self.calls += 1
        return self.calls

    def _travel(self) -> tuple[Callable[[], Handle], Mapping[str, Any]]:
        return partial(here, self.name), {"name": self.name}


def here(name: str) -> Handle:
    if name == "nobody":
        raise LookupError(name)
    return Handle(name)


@pytest.fixture(autouse=True)
def _none_made() -> None:
    MADE.clear()


def travelled(name: str, times: int = 1) -> Handle:
    handle = Handle(name)
    for _ in range(times):
        handle = pickle.loads(pickle.dumps(handle))
    MADE.clear()
    return handle


@pytest.mark.parametrize("times", [1, 2, 3])
def test_it_looks_for_its_way_with_its_first_use(times: int) -> None:
    handle = travelled("a", times)
    assert (handle.name, MADE) == ("a", [])
    assert [handle.call(), handle.call()] == [1, 2]
    assert MADE == ["a"]


def test_what_it_does_not_find_is_raised_where_it_is_used_and_looked_for_again() -> None:
    handle = travelled("nobody")
    for _ in range(2):
        with pytest.raises(LookupError, match="nobody"):
            handle.call()


def test_it_has_no_other_attributes_than_those_of_its_class() -> None:
    handle = travelled("a")
    assert not hasattr(handle, "__len__")
    assert MADE == []
    assert not hasattr(handle, "missing")
    assert not hasattr(Handle("b"), "missing")


def test_who_finds_that_another_thread_has_found_the_way_goes_on_with_that() -> None:
    """Two threads use it for the first time: one has missed an attribute when the other one finds the way."""
    handle = travelled("a")
    assert handle.call() == 1
    assert handle.__getattr__("calls") == 1
    with pytest.raises(AttributeError, match="missing"):
        handle.__getattr__("missing")
    assert MADE == ["a"]
