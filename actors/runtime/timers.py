"""What a machine wants to look at again, and when. Pure: the machine is told the time, and asks what is due.

A timer is never taken back: whoever set it checks, when it is due, whether it still means anything. So that timers far
ahead do not keep what they were set for alive, those that have lost their meaning are swept out when they are many.

Those of one quarter of a second are a bucket. The earliest bucket is a heap; the others are lists until their time
comes, so that a timer costs as much among ten thousand as among a few (calendar queue: Brown, CACM 31/10, 1988).
"""

from __future__ import annotations

import heapq
from itertools import chain, count
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Kind = TypeVar("Kind", bound=str)
Subject = TypeVar("Subject")

SWEEP_FROM = 1024
BUCKET_S = 0.25

_FAR_S = 1e12
"""Whatever is due later than this is in one bucket: infinity has no quarter of a second."""

_LAST = float("inf")


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
        self._numbers = count()
        self._sweep_at = SWEEP_FROM
        self._clear()

    def _clear(self) -> None:
        self._length = 0
        self._now: list[Timer[Kind, Subject]] = []
        """The earliest bucket, a heap; empty only if all are."""
        self._now_is = _LAST
        self._later: dict[float, list[Timer[Kind, Subject]]] = {}
        self._order: list[float] = []
        self._heaps: set[float] = set()
        """Later buckets that were the earliest once."""

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Timer[Kind, Subject]]:
        return chain(self._now, *self._later.values())

    def set(self, at: float, kind: Kind, subject: Subject) -> None:
        """Be due at `at`, monotonic seconds."""
        self._put(Timer(at, next(self._numbers), kind, subject))
        if self._length >= self._sweep_at:
            kept = [timer for timer in self if self._means_something(timer)]
            self._clear()
            for timer in kept:
                self._put(timer)
            self._sweep_at = max(SWEEP_FROM, 2 * len(kept))

    def take_due(self, now: float) -> Timer[Kind, Subject] | None:
        """The earliest timer that is due, which leaves, or None."""
        if not self._now or self._now[0].at > now:
            return None
        timer = heapq.heappop(self._now)
        self._length -= 1
        if not self._now:
            self._open_next()
        return timer

    def next_at(self) -> float | None:
        """When the next timer is due, monotonic seconds, or None."""
        return self._now[0].at if self._now else None

    def _put(self, timer: Timer[Kind, Subject]) -> None:
        self._length += 1
        bucket = timer.at // BUCKET_S if timer.at < _FAR_S else _LAST
        if bucket == self._now_is:
            heapq.heappush(self._now, timer)
        elif bucket < self._now_is:
            if self._now:
                self._later[self._now_is] = self._now
                self._heaps.add(self._now_is)
                heapq.heappush(self._order, self._now_is)
            self._now, self._now_is = [timer], bucket
        elif bucket not in self._later:
            self._later[bucket] = [timer]
            heapq.heappush(self._order, bucket)
        elif bucket in self._heaps:
            heapq.heappush(self._later[bucket], timer)
        else:
            self._later[bucket].append(timer)

    def _open_next(self) -> None:
        if not self._order:
            self._now_is = _LAST
            return
        bucket = self._now_is = heapq.heappop(self._order)
        self._now = self._later.pop(bucket)
        if bucket in self._heaps:
            self._heaps.remove(bucket)
        else:
            heapq.heapify(self._now)
