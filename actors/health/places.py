"""Checks that run in another process than the monitor's: of a node's agent, or of a child.

Each process runs them as the monitor does, so that one that hangs takes nothing with it but a thread, of a bounded
number. The one before of the same name that hangs still is not run a second time.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from functools import cache

from actors.health.answers import Answer
from actors.health.packing import ProbeShelf
from actors.health.probes.place import Here
from actors.health.running import ProbeRunner
from actors.runtime.scrub import Scrubber

THREADS_MAX = 16
"""Threads for probes in a process that has something else to do."""

Ended = tuple[Answer, float]
"""How a check ended and how long it took, seconds."""


class CheckPlace:
    """The checks of one process.

    Args:
        threads_max: Threads for probes that are plain functions.
    """

    def __init__(self, threads_max: int = THREADS_MAX) -> None:
        self._lock = threading.Lock()
        self._number = 0
        self._names: dict[str, int] = {}
        self._waiting: dict[int, tuple[str, Future[Ended]]] = {}
        self._shelf = ProbeShelf(limit=1_000)
        self._runner = ProbeRunner(self._on_end, clean=Scrubber().clean, threads_max=threads_max)

    def run(self, supervisor: str, name: str, data: bytes, timeout_s: float) -> Future[Ended]:
        """Run a check; its end is that of the future, no later than its time is over.

        Args:
            supervisor: Whose monitor asks.
            name: The component, the kind and the place.
            data: The packed probe.
            timeout_s: How long it may take, seconds.
        """
        ended: Future[Ended] = Future()
        with self._lock:
            if name in self._names:
                ended.set_result((Answer(outcome="timed_out", detail="the check before hangs still"), 0.0))
                return ended
            self._number += 1
            number = self._names[name] = self._number
            self._waiting[number] = (name, ended)
        probe = self._shelf.probe(name, data)
        self._runner.run(number, name, probe, here=Here(supervisor=supervisor, timeout_s=timeout_s))
        return ended

    def _on_end(self, number: int, answer: Answer, duration_s: float) -> None:
        with self._lock:
            name, ended = self._waiting.pop(number)
            del self._names[name]
        ended.set_result((answer, duration_s))


@cache
def check_place() -> CheckPlace:
    """This process's, made with the first check."""
    return CheckPlace()


def late(timeout_s: float) -> Ended:
    """What is told of a check whose time is over; it may run still."""
    return Answer(outcome="timed_out", detail=f"it took longer than {timeout_s:g} s"), timeout_s
