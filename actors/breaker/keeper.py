"""The one background thread of a process that does for all circuits what no call does: what is due by time.

It is started when there is something to do for the first time, and sleeps until the next thing is due: reports that are
old enough, leases that ended, timers of breakers without a cluster. With nothing due it sleeps for good.
"""

from __future__ import annotations

import logging
import threading
from typing import Protocol

from actors.breaker.agenda import Agenda
from actors.runtime.clock import SYSTEM_CLOCK, Clock
from actors.runtime.vital_threads import steady_thread

_LOG = logging.getLogger("supervisor.breaker")


class Job(Protocol):
    """Something that is due now and then."""

    def run(self, now: float) -> float | None:
        """Do what is due at `now`; when it is due next, monotonic seconds, or None."""
        ...


class Keeper:
    """Runs jobs when they are due.

    Args:
        clock: Where the time comes from.
        threaded: Whether a thread does it; else whoever moves the clock calls `run_due`.
    """

    def __init__(self, *, clock: Clock = SYSTEM_CLOCK, threaded: bool = True) -> None:
        self._clock = clock
        self._threaded = threaded
        self.begin_anew()

    def begin_anew(self) -> None:
        """After a fork: the thread is not here, and the lock may be held by nobody."""
        self._changed = threading.Condition(threading.Lock())
        self._agenda: Agenda[Job] = Agenda()
        self._thread: threading.Thread | None = None

    def wake(self, job: Job, at: float) -> None:
        """Run `job` at `at`, monotonic seconds, or earlier if that was asked before."""
        with self._changed:
            first = self._agenda.set(job, at)
            if self._threaded and self._thread is None:
                self._thread = steady_thread(self._work, name="supervisor-breakers")
                self._thread.start()
            elif first:
                self._changed.notify()

    def run_due(self, now: float) -> float | None:
        """Run what is due at `now`; when something is due next, monotonic seconds, or None."""
        with self._changed:
            jobs = self._agenda.take_due(now)
        for job in jobs:
            again_at = self._run(job, now)
            if again_at is not None:
                with self._changed:
                    self._agenda.set(job, again_at)
        with self._changed:
            return self._agenda.next_at()

    def _work(self) -> None:
        while True:
            self.run_due(self._clock.now())
            with self._changed:
                next_at = self._agenda.next_at()
                wait_s = None if next_at is None else next_at - self._clock.now()
                if wait_s is None or wait_s > 0:
                    self._changed.wait(None if wait_s is None else min(wait_s, threading.TIMEOUT_MAX))

    @staticmethod
    def _run(job: Job, now: float) -> float | None:
        try:
            return job.run(now)
        except Exception:  # noqa: BLE001 - one job's defect must not end the others'
            _LOG.exception("breakers: background work failed; it is tried again in a second")
            return now + 1.0
