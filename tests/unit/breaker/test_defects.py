"""Defects seen in other breakers, each as a test of this one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import pytest

from actors.breaker.errors import CircuitOpenError
from actors.breaker.handle import BreakerHandle, local_breaker
from actors.breaker.noticeboard import Noticeboard
from actors.breaker.packing import pack_settings, unpack_settings
from actors.breaker.registry import Registry
from actors.breaker.remote import RayLink
from actors.breaker.settings import BreakerSettings
from tests.unit.breaker.test_noticeboard import NAME, Boards
from tests.unit.breaker.town import BreakError, Town, bad, good


class Nobody:
    """No owner anywhere."""

    @staticmethod
    def owner_of(name: str) -> None:
        del name

    def want(self, name: str, timeout_s: float = 0.0) -> None:
        """There will be none."""

    @staticmethod
    def names_max() -> int:
        return 100


def begun(town: Town) -> Any:
    permit = town.breaker.try_acquire()
    assert permit is not None
    return permit


def test_a_stale_success_does_not_close_an_open_breaker():
    town = Town()
    early = begun(town)
    town.opened()
    early.success()
    assert town.breaker.state == "open"


def test_a_stale_success_does_not_close_a_half_open_breaker():
    town = Town(half_open_permits=1)
    early = begun(town)
    town.half_opened()
    early.success()
    assert town.breaker.state == "half_open"


def test_a_stale_failure_does_not_open_a_breaker_that_has_recovered():
    town = Town(half_open_permits=1)
    early = [begun(town) for _ in range(4)]
    town.half_opened()
    town.breaker.call(good)
    for permit in early:
        permit.failure()
    assert town.breaker.state == "closed"
    assert town.view.calls == 0


@pytest.mark.parametrize("error", [KeyboardInterrupt, GeneratorExit, asyncio.CancelledError, SystemExit])
def test_a_cancelled_call_neither_trips_nor_counts(error: type[BaseException]):
    town = Town(minimum_calls=1, count=(BaseException,))

    def interrupted() -> None:
        raise error

    for _ in range(5):
        with pytest.raises(error):
            town.breaker.call(interrupted)
    assert town.breaker.state == "closed"
    assert (town.view.calls, town.view.totals.neutral) == (0, 5)


@pytest.mark.parametrize("error", [KeyboardInterrupt, GeneratorExit, asyncio.CancelledError])
def test_a_cancelled_probe_neither_closes_nor_reopens_and_gives_its_permit_back(error: type[BaseException]):
    town = Town(half_open_permits=1).half_opened()

    def interrupted() -> None:
        raise error

    with pytest.raises(error):
        town.breaker.call(interrupted)
    assert town.breaker.state == "half_open"
    assert town.view.permits_out == 0
    assert town.breaker.call(good) == "fine"
    assert town.breaker.state == "closed"


async def test_a_cancelled_task_says_nothing_and_gives_its_permit_back():
    town = Town(half_open_permits=1).half_opened()
    began = asyncio.Event()

    async def hangs() -> None:
        began.set()
        await asyncio.Event().wait()

    task = asyncio.ensure_future(town.breaker.acall(hangs))
    await began.wait()
    assert town.view.permits_out == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (town.breaker.state, town.view.permits_out) == ("half_open", 0)


def test_a_stale_release_mints_no_permits():
    town = Town(half_open_permits=1).half_opened()
    probe = begun(town)
    for end in (probe.cancel, probe.cancel, probe.success, probe.failure):
        end()
    held = begun(town)
    assert town.breaker.try_acquire() is None
    town.later(10.0)  # its lease is over
    other = begun(town)
    held.cancel()  # and gives nothing back any more
    assert town.breaker.try_acquire() is None
    assert other.is_probe


def test_an_ignored_exception_does_not_close_a_half_open_breaker():
    town = Town(half_open_permits=1, ignore=KeyError).half_opened()
    for _ in range(3):
        with pytest.raises(KeyError):
            town.breaker.call({}.__getitem__, "x")
    assert town.breaker.state == "half_open"


def test_half_open_does_not_admit_all_concurrent_callers():
    town = Town(half_open_permits=2).half_opened()
    inside, refused, together = [], [], threading.Barrier(16)

    def caller() -> None:
        together.wait(30)
        permit = town.breaker.try_acquire()
        (refused if permit is None else inside).append(permit)

    with ThreadPoolExecutor(16) as pool:
        for each in [pool.submit(caller) for _ in range(16)]:
            each.result(30)
    assert (len(inside), len(refused)) == (2, 14)


def test_a_probe_that_hangs_does_not_wedge_it():
    town = Town(half_open_permits=1, half_open_s_max=1000.0).half_opened()
    hung = begun(town)
    assert town.breaker.try_acquire() is None
    town.later(10.0)
    assert town.breaker.call(good) == "fine"
    assert town.breaker.state == "closed"
    hung.failure()
    assert town.breaker.state == "closed"


def test_a_probe_that_hangs_does_not_wedge_a_process_that_opened_itself():
    town = Town(quorum=3, half_open_permits=1)
    town.fail(2)
    assert (town.breaker.state, town.view.published.state) == ("open", "closed")
    town.later(5.0)
    hung = begun(town)
    assert hung.is_probe
    assert town.breaker.try_acquire() is None
    town.later(10.0)
    assert town.breaker.call(good) == "fine"
    assert town.breaker.state == "closed"


def test_steps_of_the_wall_clock_move_no_wait():
    """There is no wall clock in any decision: the breaker is handed a monotonic one alone."""
    town = Town()
    town.clock.wall_us = lambda: pytest.fail("somebody looked at the wall clock")
    town.half_opened()
    town.breaker.call(good)
    town.breaker.call(good)
    assert town.breaker.state == "closed"


async def test_a_decorator_guards_coroutine_functions_too():
    town = Town()

    @town.breaker
    async def fetch() -> None:
        raise BreakError

    for _ in range(2):
        with pytest.raises(BreakError):
            await fetch()
    with pytest.raises(CircuitOpenError):
        await fetch()


def test_a_decorator_guards_generator_functions_too():
    town = Town()

    @town.breaker
    def items():
        yield 1
        raise BreakError

    for _ in range(2):
        with pytest.raises(BreakError):
            list(items())
    with pytest.raises(CircuitOpenError):
        next(items())


async def test_a_decorator_guards_async_generator_functions_too():
    town = Town()

    @town.breaker
    async def items():
        yield 1
        raise BreakError

    for _ in range(2):
        with pytest.raises(BreakError):
            assert [item async for item in items()] == [1]
    with pytest.raises(CircuitOpenError):
        await anext(items())


def test_a_coroutine_function_on_the_sync_side_is_told_and_not_counted():
    town = Town()

    async def fetch() -> None:
        pytest.fail("never awaited, so never run")

    def looks_sync() -> Any:
        return fetch()

    for guarded in (lambda: town.breaker.call(fetch), town.breaker(looks_sync)):
        with pytest.raises(TypeError, match="acall"):
            guarded()
    assert town.view.calls == 0


@pytest.mark.parametrize("state", ["closed", "half_open", "measured"])
def test_no_lock_is_held_over_the_users_call(state: str):
    """Five threads are in the call at once, or the barrier breaks."""
    more = {"slow_call_s": 100.0, "slow_call_rate": 1.0} if state == "measured" else {}
    town = Town(half_open_permits=5, window_calls=8, **more)
    if state == "half_open":
        town.half_opened()
    barrier = threading.Barrier(5)
    with ThreadPoolExecutor(5) as pool:
        calls = [pool.submit(town.breaker.call, barrier.wait, 30) for _ in range(5)]
        assert sorted(call.result(60) for call in calls) == [0, 1, 2, 3, 4]


def test_the_users_functions_among_the_settings_run_under_no_lock():
    """Each of them asks the breaker itself, from another thread: that would wait for ever."""
    town = Town()

    def asks(*_: Any) -> bool:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(lambda: town.breaker.state).result(30) == "nothing"

    def wait_s(openings: int) -> float:
        asks()
        return float(openings)

    settings = BreakerSettings(
        window_calls=2, ignore=(asks,), failed_result=asks, open_s=wait_s, minimum_calls=2, open_jitter=0
    )
    town.breaker = town.handle("other", settings)
    town.breaker.call(good)
    town.fail()
    assert (town.breaker.state, town.breaker.retry_after_s) == ("open", 1.0)


class Meddler:
    """A function among the settings, whose pickling and arriving ask its breaker, as a module does at its import."""

    asks: ClassVar[list[Callable[[], object]]] = []
    answered: ClassVar[list[bool]] = []

    def __call__(self, result: object) -> bool:
        return result == "bad"

    def __reduce__(self) -> Any:
        Meddler.ask_from_another_thread()
        return _arriving, ()

    @staticmethod
    def ask_from_another_thread() -> None:
        """Not again for what arrives there."""
        if Meddler.asks and threading.current_thread().name != "meddler":
            thread = threading.Thread(target=Meddler.asks[0], name="meddler", daemon=True)
            thread.start()
            thread.join(5)
            Meddler.answered.append(not thread.is_alive())


def _arriving() -> Meddler:
    Meddler.ask_from_another_thread()
    return Meddler()


@pytest.fixture
def meddler(monkeypatch: pytest.MonkeyPatch) -> type[Meddler]:
    monkeypatch.setattr(Meddler, "answered", [])
    monkeypatch.setattr(Meddler, "asks", [])
    return Meddler


def judges(breaker: BreakerHandle) -> bool:
    failed_result = breaker.settings.failed_result
    return failed_result is not None and failed_result("bad")


def test_settings_travel_under_no_lock(tmp_path: Path, meddler: type[Meddler]):
    """What defines the breaker, what reads the board, and what a call does then: each pickles under no lock."""
    registry, boards = Registry(), Boards(tmp_path)
    link = RayLink(
        "s", Nobody(), recipe=lambda: link, node_id="n", board=Noticeboard(boards.path), lookup=Nobody.owner_of
    )
    settings = BreakerSettings(window_calls=2, failed_result=meddler())
    meddler.asks.append(lambda: BreakerHandle(registry.circuit(link, NAME)).call(good))
    try:
        breaker = BreakerHandle(registry.circuit(link, NAME, settings))
        assert meddler.answered
        assert judges(breaker), "its definition stands, though the other thread was first"
        packed = pack_settings(settings)
        boards.say(boards.agent, "closed", 1, settings=packed)
        link._board.look_round([link._places[NAME]])
        assert judges(breaker)
        unpack_settings.__globals__["_unpacked_once"].cache_clear()
        boards.say(boards.agent, "closed", 2, settings=packed)
        assert breaker.call(good) == "fine"
        assert judges(breaker)
        assert len(meddler.answered) >= 5
        assert all(meddler.answered)
    finally:
        link.stop()


def test_concurrent_failures_are_not_lost():
    town = Town(window_calls=10_000, minimum_calls=10_000, failure_rate=1.0)

    def fail_often() -> None:
        for _ in range(250):
            with pytest.raises(BreakError):
                town.breaker.call(bad)

    with ThreadPoolExecutor(8) as pool:
        for each in [pool.submit(fail_often) for _ in range(8)]:
            each.result(60)
    assert town.view.totals.failures == 2000


def test_two_definitions_of_a_name_the_first_stands_and_the_second_is_told(caplog: pytest.LogCaptureFixture):
    first = local_breaker("defined-twice", BreakerSettings(failure_rate=0.25))
    second = local_breaker("defined-twice", BreakerSettings(failure_rate=0.75))
    assert second.settings.failure_rate == 0.25
    (told,) = [record.getMessage() for record in caplog.records]
    assert "failure_rate: 0.25 stands, 0.75 was given" in told
    assert "configure() changes it" in told
    assert first.settings is second.settings
    local_breaker("defined-twice", BreakerSettings(failure_rate=0.25))
    local_breaker("defined-twice")
    assert len(caplog.records) == 1
