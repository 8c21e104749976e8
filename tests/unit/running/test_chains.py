"""Steps of one chain follow each other, and wait for no other chain."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from experiments.running.chains import Chains


@pytest.fixture
def failures() -> list[str]:
    return []


@pytest.fixture
def chains(failures: list[str]) -> Iterator[Chains]:
    with ThreadPoolExecutor(4) as pool:
        yield Chains(pool, lambda error: failures.append(str(error)))


def test_steps_follow_each_other(chains: Chains) -> None:
    done: list[int] = []
    for number in range(1000):
        chains.add("a", lambda number=number: done.append(number))
    assert chains.wait(30)
    assert done == list(range(1000))


def assert_set(event: threading.Event) -> None:
    assert event.wait(30)


def test_one_that_stands_still_holds_up_no_other(chains: Chains) -> None:
    goes_on, other = threading.Event(), threading.Event()
    later: list[str] = []
    chains.add("a", lambda: assert_set(goes_on))
    chains.add("a", lambda: later.append("a"))
    chains.add("b", other.set)
    assert other.wait(30)
    assert not later
    assert not chains.wait(0)
    assert chains.wait(30, but="a")
    goes_on.set()
    assert chains.wait(30)
    assert later == ["a"]


def test_a_chain_that_was_done_goes_on(chains: Chains) -> None:
    done: list[str] = []
    for name in ("first", "second"):
        chains.add("a", lambda name=name: done.append(name))
        assert chains.wait(30)
    assert done == ["first", "second"]


def test_what_a_step_raises_is_told_and_the_next_is_done(chains: Chains, failures: list[str]) -> None:
    done: list[str] = []

    def fail() -> None:
        raise ZeroDivisionError("nobody thought of it")

    chains.add("a", fail)
    chains.add("a", lambda: done.append("next"))
    assert chains.wait(30)
    assert (failures, done) == (["nobody thought of it"], ["next"])
