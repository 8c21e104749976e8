"""What is due when, of jobs that each have one next time. Pure."""

from __future__ import annotations

import heapq
from itertools import count
from typing import Generic, TypeVar

Job = TypeVar("Job")


class Agenda(Generic[Job]):
    """Jobs by the time at which they are due next; a job stands in it once, at its earliest time."""

    def __init__(self) -> None:
        self._due: dict[Job, float] = {}
        self._heap: list[tuple[float, int, Job]] = []
        self._numbers = count()

    def __len__(self) -> int:
        return len(self._due)

    def set(self, job: Job, at: float) -> bool:
        """Be due at `at`, monotonic seconds, or before if it was already; tells whether that is the first of all."""
        known = self._due.get(job)
        if known is not None and known <= at:
            return False
        self._due[job] = at
        heapq.heappush(self._heap, (at, next(self._numbers), job))
        return self.next_at() == at

    def take_due(self, now: float) -> list[Job]:
        """The jobs that are due, the earliest first; they leave."""
        due: list[Job] = []
        while (at := self.next_at()) is not None and at <= now:
            job = heapq.heappop(self._heap)[2]
            del self._due[job]
            due.append(job)
        return due

    def next_at(self) -> float | None:
        """When the next job is due, monotonic seconds, or None."""
        while self._heap:
            at, _, job = self._heap[0]
            if self._due.get(job) == at:
                return at
            heapq.heappop(self._heap)
        return None

    def clear(self) -> None:
        """Forget all."""
        self._due.clear()
        self._heap.clear()
