"""A probe that hangs, raises, returns nonsense or blocks is bounded, and every check's end is told once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from actors.health.answers import Answer, TableSilentError, UnreachableError
from actors.health.probes.place import Here, here
from actors.health.running import ProbeRunner, is_async
from actors.runtime.scrub import Scrubber

PATIENCE_S = 20.0
LONG = Here(timeout_s=PATIENCE_S)
SHORT = Here(timeout_s=0.2)


class Ends:
    """What was told, and a way to wait for it."""

    def __init__(self) -> None:
        self.told: dict[int, Answer] = {}
        self.durations: dict[int, float] = {}
        self._condition = threading.Condition()

    def __call__(self, number: int, answer: Answer, duration_s: float) -> None:
        with self._condition:
            assert number not in self.told, "told twice"
            self.told[number] = answer
            self.durations[number] = duration_s
            self._condition.notify_all()

    def wait(self, number: int) -> Answer:
        with self._condition:
            assert self._condition.wait_for(lambda: number in self.told, PATIENCE_S), f"{number} was not told"
            return self.told[number]


@pytest.fixture
def ends() -> Ends:
    return Ends()


@pytest.fixture
def runner(ends: Ends) -> Iterator[ProbeRunner]:
    made = ProbeRunner(ends, clean=Scrubber().clean, threads_max=2)
    yield made
    made.close()


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    made = threading.Event()
    yield made
    made.set()


async def well() -> tuple[bool, str]:
    await asyncio.sleep(0)
    return True, "awaited"


def gives_a_coroutine() -> Any:
    return well()


async def forever() -> None:
    await asyncio.Event().wait()


def exits() -> None:
    raise SystemExit(3)


async def exits_too() -> None:
    raise KeyboardInterrupt


def tells_a_secret() -> tuple[bool, str]:
    return False, f"password=hunter2 {'x' * 5000}"


def cannot_reach() -> None:
    raise UnreachableError("the other side is cut off")


@pytest.mark.parametrize(
    ("probe", "outcome", "detail"),
    [
        (lambda: True, "passed", ""),
        (lambda: 40, "passed", ""),
        (well, "passed", "awaited"),
        (gives_a_coroutine, "passed", "awaited"),
        (lambda: "fine", "nonsense", "not str"),
        (lambda: b"x" * 10_000_000, "nonsense", "not bytes"),
        (exits, "failed", "SystemExit: 3"),
        (exits_too, "failed", "KeyboardInterrupt"),
        (cannot_reach, "unreachable", "the other side is cut off"),
        (tells_a_secret, "failed", "password=***"),
    ],
)
def test_whatever_it_does_is_told(
    runner: ProbeRunner, ends: Ends, probe: Callable[[], Any], outcome: str, detail: str
) -> None:
    runner.run(1, "db", probe, here=LONG)
    answer = ends.wait(1)
    assert answer.outcome == outcome
    assert detail in answer.detail
    assert len(answer.detail) <= 500
    assert "hunter2" not in answer.detail


def test_it_knows_where_it_runs(runner: ProbeRunner, ends: Ends) -> None:
    async def tells() -> tuple[bool, str]:
        return True, here().supervisor

    place = Here(supervisor="s", timeout_s=PATIENCE_S)
    runner.run(1, "a", lambda: (True, here().supervisor), here=place)
    runner.run(2, "b", tells, here=place)
    assert (ends.wait(1).detail, ends.wait(2).detail, here().supervisor) == ("s", "s", "")


def test_a_coroutine_that_takes_too_long_is_cancelled(runner: ProbeRunner, ends: Ends) -> None:
    runner.run(1, "db", forever, here=SHORT)
    assert ends.wait(1) == Answer(outcome="timed_out", detail="it took longer than 0.2 s")


def test_a_coroutine_is_given_up_on_demand(runner: ProbeRunner, ends: Ends) -> None:
    runner.run(1, "db", forever, here=LONG)
    runner.abandon(1)
    assert ends.wait(1) == Answer(outcome="timed_out", detail="it was given up")


def test_a_function_that_hangs_keeps_its_check_until_it_ends(
    runner: ProbeRunner, ends: Ends, gate: threading.Event
) -> None:
    runner.run(1, "db", gate.wait, here=SHORT)
    runner.run(2, "other", lambda: True, here=LONG)
    assert ends.wait(2).outcome == "passed"
    assert 1 not in ends.told
    runner.abandon(1)
    assert 1 not in ends.told, "a thread cannot be ended, so its check is still in flight"
    gate.set()
    assert ends.wait(1).outcome == "passed"


def test_when_all_threads_hang_what_waits_is_told_who_holds_them(
    runner: ProbeRunner, ends: Ends, gate: threading.Event
) -> None:
    runner.run(1, "disk", gate.wait, here=SHORT)
    runner.run(2, "nfs", gate.wait, here=SHORT)
    runner.run(3, "db", lambda: True, here=Here(timeout_s=0.5))
    answer = ends.wait(3)
    assert answer.outcome == "unreachable", "that the monitor could not look says nothing of the component"
    assert answer.detail == "it did not run: all 2 threads are taken; in them hang disk, nfs"
    assert set(runner.statistics().hung) == {"disk", "nfs"}
    gate.set()
    runner.run(4, "db", lambda: True, here=LONG)
    assert ends.wait(4).outcome == "passed"


def test_what_has_no_thread_yet_can_be_given_up(runner: ProbeRunner, ends: Ends, gate: threading.Event) -> None:
    runner.run(1, "a", gate.wait, here=LONG)
    runner.run(2, "b", gate.wait, here=LONG)
    runner.run(3, "c", lambda: True, here=LONG)
    runner.abandon(3)
    assert ends.wait(3).outcome == "unreachable"
    assert runner.statistics().waiting == 0


def test_a_coroutine_that_blocks_the_loop_takes_nobody_with_it(
    runner: ProbeRunner, ends: Ends, gate: threading.Event
) -> None:
    async def blocks() -> None:
        gate.wait()

    runner.run(1, "other", forever, here=LONG)
    runner.run(2, "bad", blocks, here=SHORT)
    answer = ends.wait(1)
    assert answer.outcome == "unreachable"
    assert answer.detail == "it was not looked at: bad blocks the event loop of all async probes; make it a sync one"
    runner.run(3, "other", well, here=LONG)
    assert ends.wait(3).outcome == "passed", "a new loop runs"
    assert runner.statistics().loops_left == 1
    gate.set()
    ends.wait(2)
    gate.clear()
    runner.run(4, "bad", blocks, here=LONG)
    runner.run(5, "other", well, here=LONG)
    assert ends.wait(5).outcome == "passed", "who has blocked the loop once runs on a thread"
    assert 4 not in ends.told
    gate.set()
    assert ends.wait(4).outcome == "passed"
    assert runner.statistics().loops_left == 1


def test_many_at_once_all_end(runner: ProbeRunner, ends: Ends) -> None:
    for number in range(500):
        runner.run(number, "x", well if number % 2 else (lambda: None), here=LONG)
    assert {ends.wait(number).outcome for number in range(500)} == {"passed"}
    assert all(duration_s >= 0 for duration_s in ends.durations.values())


def test_what_is_to_be_awaited_is_known() -> None:
    class Asks:
        async def __call__(self) -> bool:
            return True

    assert is_async(well)
    assert is_async(Asks())
    assert not is_async(gives_a_coroutine)


def test_an_end_says_whether_rays_own_table_was_looked_up_and_answered(ends: Ends, runner: ProbeRunner):
    def looks() -> bool:
        here().table_answered.set()
        return False

    def in_vain() -> None:
        raise TableSilentError("no GCS")

    probes: tuple[Callable[[], Any], ...] = (looks, in_vain, bool)
    for number, probe in enumerate(probes):
        runner.run(number, "p", probe, here=Here(timeout_s=PATIENCE_S))
    assert [(ends.wait(number).outcome, ends.wait(number).table) for number in range(3)] == [
        ("failed", "answers"),
        ("unreachable", "silent"),
        ("failed", ""),
    ]
