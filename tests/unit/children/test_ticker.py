"""One thread ticks whoever is busy, and rests when nobody is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from actors.runtime.clock import SYSTEM_CLOCK
from supervisor.children import ticker as module
from supervisor.children.ticker import Ticker

PATIENCE_S = 30.0


class Worker:
    """Is busy for some ticks."""

    def __init__(self, ticks: int) -> None:
        self.left = ticks
        self.done = threading.Event()

    @property
    def busy(self) -> bool:
        return self.left > 0

    def tick(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.done.set()


@pytest.fixture
def looks() -> list[float]:
    return []


@pytest.fixture
def ticker(looks: list[float]) -> Iterator[Ticker]:
    made = Ticker(lambda: looks.append(SYSTEM_CLOCK.now()), SYSTEM_CLOCK)
    yield made
    made.close()
    if made._thread is not None:
        made._thread.join(PATIENCE_S)
        assert not made._thread.is_alive()


def wait_for(condition: Callable[[], bool]) -> None:
    until = SYSTEM_CLOCK.now() + PATIENCE_S
    while not condition():
        assert SYSTEM_CLOCK.now() < until
        threading.Event().wait(0.002)


def test_who_is_busy_is_ticked_until_it_is_no_more(ticker: Ticker, looks: list[float]) -> None:
    workers = [Worker(1), Worker(3)]
    for worker in workers:
        ticker.wake(worker)
    assert all(worker.done.wait(PATIENCE_S) for worker in workers)
    wait_for(lambda: not ticker._ticked)
    assert len(looks) >= 3


def test_it_sleeps_when_nobody_is_busy_and_wakes_again(
    ticker: Ticker, looks: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "IDLE_TICKS", 2)
    first, second = Worker(1), Worker(1)
    ticker.wake(first)
    assert first.done.wait(PATIENCE_S)
    wait_for(lambda: not ticker._awake.is_set())
    ticker.wake(second)
    assert second.done.wait(PATIENCE_S)


def test_in_a_hurry_it_looks_more_often(ticker: Ticker, looks: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TICK_S", 3600.0)
    worker = Worker(50)
    ticker.wake(worker)
    ticker.hurry()
    assert worker.done.wait(PATIENCE_S)


def test_who_becomes_busy_just_when_it_is_dropped_is_ticked_all_the_same(ticker: Ticker) -> None:
    worker = Worker(1)
    ticker._ticked[worker] = None
    ticker._drop(worker)
    assert worker in ticker._ticked
    assert worker.done.wait(PATIENCE_S)


def test_a_ticker_that_nobody_needs_has_no_thread(ticker: Ticker) -> None:
    ticker.hurry()
    assert ticker._thread is None
