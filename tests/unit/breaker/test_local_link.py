"""A breaker of one process: its owner is here, and answers at once."""

from __future__ import annotations

import pytest

from actors.breaker import messages as m
from actors.breaker.errors import CircuitOpenError
from tests.unit.breaker.town import Town, good


def test_timers_are_kept_by_the_keeper():
    town = Town().opened()
    with town.breaker.subscribe() as changes:
        town.later(5.0)
        change = changes.next(0)
    assert change is not None
    assert (change.after, town.link.view("b").result().published.state) == ("half_open", "half_open")


def test_the_word_changes_with_each_thing_the_owner_says():
    town = Town()
    before, word = town.link.read("b")
    town.breaker.disable(reason="test")
    after, later = town.link.read("b")
    assert after != before
    assert (word.published.state, later.published.state) == ("closed", "disabled")
    assert later.cause is not None
    assert later.cause.reason == "test"


def test_the_users_function_says_how_long_it_is_open():
    asked: list[int] = []

    def wait_s(openings: int) -> float:
        asked.append(openings)
        return 7.0

    town = Town(open_s=wait_s).opened()
    assert town.breaker.retry_after_s == pytest.approx(7.0)
    assert asked == [1]


def test_a_users_function_that_fails_leaves_the_longest_wait(caplog: pytest.LogCaptureFixture):
    def fails(openings: int) -> float:
        raise ZeroDivisionError(openings)

    town = Town(open_s=fails).opened()
    assert town.breaker.retry_after_s == pytest.approx(20.0)
    assert "open_s(1) failed" in caplog.text


def test_what_an_attachment_detached_from_says_is_not_heard():
    town = Town()
    town.circuit.end()
    town.link.control("b", m.ControlRequested(action="force_open", who="ann", reason="test")).result()
    assert town.circuit.gate.published.state == "closed"


def test_permits_of_a_forks_parent_are_not_out_in_the_child():
    town = Town(half_open_permits=1).half_opened()
    assert town.breaker.try_acquire() is not None
    with pytest.raises(CircuitOpenError):
        town.breaker.call(good)
    town.registry.forked()
    assert town.breaker.call(good) == "fine"
