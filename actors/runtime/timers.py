"""What a machine wants to look at again, and when. Pure: the machine is told the time, and asks what is due.

A timer is never taken back: whoever set it checks, when it is due, whether it still means anything. So that timers far
ahead do not keep what they were set for alive, those that have lost their meaning are swept out when they are many.
"""

from __future__ import annotations

import heapq
from itertools import count
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Kind = TypeVar("Kind", bound=str)
Subject = TypeVar("Subject")

SWEEP_FROM = 1024


class Timer(NamedTuple, Generic[Kind, Subject]):
    """One timer; timers of one instant are due in the order in which they were set."""

    at: float
    number: int
    kind: Kind
    subject: Subject


class Timers(Generic[Kind, Subject]):
    """A machine's timers.

    Args:
        means_something: Whether a timer would still do anything; the others may be forgotten.
    """

    def __init__(self, means_something: Callable[[Timer[Kind, Subject]], bool]) -> None:
        self._means_something = means_something
        self._heap: list[Timer[Kind, Subject]] = []
        self._numbers = count()
        self._sweep_at = SWEEP_FROM

    def __len__(self) -> int:
        return len(self._heap)

    def __iter__(self) -> Iterator[Timer[Kind, Subject]]:
        return iter(self._heap)

    def set(self, at: float, kind: Kind, subject: Subject) -> None:
        """Be due at `at`, monotonic seconds."""
        heapq.heappush(self._heap, Timer(at, next(self._numbers), kind, subject))
        if len(self._heap) >= self._sweep_at:
            self._heap = [timer for timer in self._heap if self._means_something(timer)]
            heapq.heapify(self._heap)
            self._sweep_at = max(SWEEP_FROM, 2 * len(self._heap))

    def take_due(self, now: float) -> Timer[Kind, Subject] | None:
        """The earliest timer that is due, which leaves, or None."""
        return heapq.heappop(self._heap) if self._heap and self._heap[0].at <= now else None

    def next_at(self) -> float | None:
        """When the next timer is due, monotonic seconds, or None."""
        return self._heap[0].at if self._heap else None
