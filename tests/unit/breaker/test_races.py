"""Threads that look at a breaker, define it and call it at once: nothing is torn, whoever is interrupted wherever."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.breaker.errors import CircuitOpenError
from actors.breaker.handle import BreakerHandle
from actors.breaker.noticeboard import Noticeboard
from actors.breaker.places import Place
from actors.breaker.registry import Registry
from actors.breaker.settings import BreakerSettings
from tests.unit.breaker.town import BreakError, bad, good

TIMES = 150


@pytest.fixture(autouse=True)
def restless() -> Iterator[None]:
    """Threads take turns as often as the interpreter lets them."""
    former = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(former)


def at_once(*acts: Callable[[int], object]) -> None:
    """Each of these in a thread of its own, many times; the first error of any comes through."""
    failed: list[BaseException] = []
    ready = threading.Barrier(len(acts))

    def run(act: Callable[[int], object]) -> None:
        ready.wait()
        try:
            for number in range(TIMES):
                act(number)
        except BaseException as error:  # noqa: BLE001 - a thread's error is the test's
            failed.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def unanswered(_: str) -> Any:
    raise TimeoutError


@pytest.mark.parametrize("window", [{"window_s": 0.001}, {"window_calls": 10}])
def test_whoever_looks_while_others_call_sees_whole_numbers(window: dict[str, Any]) -> None:
    registry = Registry()
    settings = BreakerSettings(failure_rate=0.9, minimum_calls=3, open_s=0.0001, open_s_max=0.001, **window)
    breaker = BreakerHandle(registry.local("b", settings))
    registry.local_link.view = unanswered  # type: ignore[method-assign] - so that the process's own window is looked at

    def call(number: int) -> None:
        try:
            breaker.call(bad if number % 3 else good)
        except (BreakError, CircuitOpenError):
            pass

    def look(_: int) -> None:
        numbers = breaker.metrics()
        assert numbers.calls >= 0
        assert 0 <= numbers.failure_rate <= 1
        assert numbers.health_score in range(101)
        assert breaker.retry_after_s >= 0
        assert str(breaker.explain()).startswith(("closed", "open", "half_open"))
        assert breaker.state in ("closed", "open", "half_open")

    at_once(call, call, call, look, look)
    window_now = breaker._circuit.gate.window
    assert 0 <= window_now.failures <= window_now.calls


def test_definitions_that_differ_are_told_by_whoever_is_there(caplog: pytest.LogCaptureFixture) -> None:
    registry = Registry()
    registry.local("b", BreakerSettings())

    def define(number: int) -> None:
        registry.local("b", BreakerSettings(open_s=1 + number / TIMES))

    at_once(define, define, define)
    assert len(caplog.records) == 3 * TIMES


def test_names_that_come_while_the_board_is_looked_at_disturb_nobody(tmp_path: Path) -> None:
    board = Noticeboard(lambda key: tmp_path / (key or "agent").replace("/", "-"))
    places: list[Place] = []

    def attach(number: int) -> None:
        place = Place(f"b{number}")
        place.owner = f"s/breaker/b{number % 20}#1"
        places.append(place)
        board.look((place,))

    at_once(attach, lambda _: board.look_round(list(places)))
    assert len(places) == TIMES


def test_a_name_is_one_circuit_whoever_asks_first() -> None:
    registry = Registry()
    found: list[set[int]] = [set() for _ in range(TIMES)]

    def use(number: int) -> None:
        found[number].add(id(registry.local(f"b{number}")))

    at_once(use, use, use, lambda _: registry.flush())
    assert [len(each) for each in found] == [1] * TIMES
