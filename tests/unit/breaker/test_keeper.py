"""The background thread runs what is due, when it is due, whatever a job does."""

from __future__ import annotations

import threading

from actors.breaker.keeper import Keeper
from tests.unit.breaker.town import VirtualClock


class Counting:
    """A job that is due again after a pause, so many times."""

    def __init__(self, *pauses: float) -> None:
        self.ran: list[float] = []
        self.done = threading.Event()
        self._pauses = list(pauses)

    def run(self, now: float) -> float | None:
        self.ran.append(now)
        if self._pauses:
            return now + self._pauses.pop(0)
        self.done.set()
        return None


def test_a_job_runs_when_it_is_due_and_again_when_it_says():
    keeper, job = Keeper(clock=VirtualClock(), threaded=False), Counting(2.0)
    keeper.wake(job, 101.0)
    assert [keeper.run_due(100.0), keeper.run_due(101.0), keeper.run_due(103.0)] == [101.0, 103.0, None]
    assert job.ran == [101.0, 103.0]


def test_a_job_that_fails_is_tried_again_and_others_go_on():
    class Broken:
        def run(self, now: float) -> float | None:
            raise RuntimeError("a defect")

    keeper, job = Keeper(clock=VirtualClock(), threaded=False), Counting()
    keeper.wake(Broken(), 100.0)
    keeper.wake(job, 100.0)
    assert keeper.run_due(100.0) == 101.0
    assert job.ran == [100.0]


def test_the_thread_starts_with_the_first_job_and_sees_an_earlier_one():
    keeper, late, early = Keeper(), Counting(), Counting(0.001, 0.001)
    assert keeper._thread is None
    keeper.wake(late, keeper._clock.now() + 3600.0)
    keeper.wake(early, keeper._clock.now())
    assert early.done.wait(30)
    assert len(early.ran) == 3
    assert late.ran == []
    assert keeper._thread is not None
    assert keeper._thread.daemon
