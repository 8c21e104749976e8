"""No thread of ours ends by an error: it begins anew, or its process ends and is replaced."""

from __future__ import annotations

import logging
import queue
import threading

import pytest

from actors.runtime import vital_threads
from actors.runtime.vital_threads import steady_thread, vital_thread

DEADLINE_S = 10.0


class Work:
    """Work that fails the first few times.

    Args:
        failures: How often it fails.
    """

    def __init__(self, failures: int) -> None:
        self._left = failures
        self.seen: queue.SimpleQueue[str] = queue.SimpleQueue()

    def do(self, what: str) -> None:
        self.seen.put(what)
        self._left -= 1
        if self._left >= 0:
            raise LookupError("what nobody expected")


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr(vital_threads, "sleep", slept.append)
    monkeypatch.setattr(vital_threads, "_LOG", logging.getLogger("provoked"))
    return slept


def times(work: Work) -> int:
    return work.seen.qsize()


def test_a_steady_thread_begins_anew_and_waits_longer_each_time(
    pauses: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    work = Work(failures=8)
    thread = steady_thread(work.do, "this", name="looking")
    thread.start()
    thread.join(DEADLINE_S)
    assert not thread.is_alive()
    assert times(work) == 9
    assert work.seen.get() == "this"
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert "looking met an error that nobody expected" in caplog.text
    assert "LookupError: what nobody expected" in caplog.text


def test_a_vital_thread_ends_its_process(pauses: list[float]) -> None:
    work, ended = Work(failures=1), threading.Event()
    vital_thread(work.do, "this", name="deciding", end=ended.set, fresh_s=0.0).start()
    assert ended.wait(DEADLINE_S)


def test_a_process_that_is_fresh_goes_on(pauses: list[float]) -> None:
    work, ended = Work(failures=2), threading.Event()
    thread = vital_thread(work.do, "this", name="deciding", end=ended.set)
    thread.start()
    thread.join(DEADLINE_S)
    assert times(work) == 3
    assert not ended.is_set()


def test_a_program_that_is_not_an_actor_is_not_ended(pauses: list[float]) -> None:
    work = Work(failures=2)
    thread = vital_thread(work.do, "this", name="deciding", fresh_s=0.0)
    thread.start()
    thread.join(DEADLINE_S)
    assert times(work) == 3


@pytest.mark.parametrize("make", [steady_thread, vital_thread])
def test_work_that_is_done_is_not_begun_again(make, pauses: list[float]) -> None:
    work = Work(failures=0)
    thread = make(work.do, "this", name="short")
    assert thread.daemon
    thread.start()
    thread.join(DEADLINE_S)
    assert times(work) == 1
    assert pauses == []
