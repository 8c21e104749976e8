"""A user's function for `open_s` that hangs: what it is asked for goes on without it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from actors.breaker import open_waits
from actors.breaker.open_waits import RUNNING_MAX, ask_open_wait
from tests.unit.breaker.scene import fast
from tests.unit.breaker.town import Town, good


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """What a hanging function waits for; at the end none hangs any more."""
    monkeypatch.setattr(open_waits, "PATIENCE_S", 0.01)
    before = set(threading.enumerate())
    opened = threading.Event()
    yield opened
    opened.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(30)


@pytest.mark.parametrize("quorum", [None, 2])
def test_one_that_hangs_holds_up_neither_its_caller_nor_the_recovery(gate: threading.Event, quorum: int | None):
    """With a quorum the process has opened itself, and asks itself."""
    town = Town(quorum=quorum, half_open_permits=1, open_s=lambda _openings: float(gate.wait(60)))
    town.fail(2)
    assert (town.breaker.state, town.breaker.retry_after_s) == ("open", 20.0)
    town.later(20.0)
    assert town.breaker.state == "half_open"
    assert town.breaker.call(good) == "fine"
    assert town.breaker.state == "closed"


def test_an_answer_that_comes_late_holds_from_then_on(gate: threading.Event):
    answered = threading.Event()
    settings = fast(open_s=lambda _openings: 3.0 if gate.wait(60) else 1.0)
    ask_open_wait("b", settings, 1, lambda wait_s: answered.set() if wait_s == 3.0 else None)
    assert not answered.is_set()
    gate.set()
    assert answered.wait(30)


def test_no_more_of_them_run_than_there_is_room_for(gate: threading.Event, caplog: pytest.LogCaptureFixture):
    hanging = fast(open_s=lambda _openings: float(gate.wait(60)))
    told: list[float | None] = []
    for number in range(RUNNING_MAX):
        ask_open_wait(f"b{number}", hanging, 1, told.append)
    assert told == []
    ask_open_wait("one more", hanging, 1, told.append)
    assert told == [None]
    assert "'one more': 8 functions for open_s run already" in caplog.text
    gate.set()


def test_one_that_fails_and_settings_without_one_are_told_at_once():
    told: list[float | None] = []
    ask_open_wait("b", fast(open_s=lambda openings: 1 / (openings - 1)), 1, told.append)
    ask_open_wait("b", fast(), 1, told.append)
    ask_open_wait("b", fast(open_s=lambda openings: 2.0 * openings), 3, told.append)
    assert told == [None, None, 6.0]
