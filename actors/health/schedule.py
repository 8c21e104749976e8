"""When each probe is due: spread over its interval, in O(log n) however many there are. Pure.

A probe keeps the beat that it began with: what is late is not made up for, so a monitor that was stopped does not find
a thousand checks to run at once. Each beat begins at another part of the interval, by the golden ratio: however many
probes there are, they are spread evenly, and those that go leave no cluster behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from math import ceil
from typing import Generic, TypeVar

Key = TypeVar("Key")

_GOLDEN = 0.618033988749895
_FIRST = 0.5
_SLACK = 64
_TICK_S = 1e-9


@dataclass(slots=True)
class _Beat:
    interval_s: float
    at: float


class Schedule(Generic[Key]):
    """What is due when."""

    def __init__(self) -> None:
        self._beats: dict[Key, _Beat] = {}
        self._heap: list[tuple[float, int, Key, _Beat]] = []
        self._added = self._pushed = 0

    def __len__(self) -> int:
        return len(self._beats)

    def add(self, key: Key, *, interval_s: float, delay_s: float, now: float) -> None:
        """`key` is due every `interval_s`, the first time within one interval after `delay_s`; replaces its beat."""
        phase = (_FIRST + self._added * _GOLDEN) % 1.0
        self._added += 1
        beat = self._beats[key] = _Beat(interval_s, now + delay_s + phase * interval_s)
        self._push(key, beat)

    def remove(self, key: Key) -> None:
        """It is due no more; one that is not there is left so."""
        self._beats.pop(key, None)
        if len(self._heap) > 2 * len(self._beats) + _SLACK:
            self._heap = [each for each in self._heap if self._beats.get(each[2]) is each[3]]
            heapify(self._heap)

    def due(self, now: float) -> list[Key]:
        """Those that are due by `now`, monotonic seconds, earliest first; each is due again an interval later."""
        found: list[Key] = []
        while self._heap and self._heap[0][0] <= now:
            _, _, key, beat = heappop(self._heap)
            if self._beats.get(key) is beat:
                found.append(key)
                missed = max(1, ceil((now - beat.at + _TICK_S) / beat.interval_s))
                beat.at += missed * beat.interval_s
                self._push(key, beat)
        return found

    def next_at(self) -> float | None:
        """When the next one is due, monotonic seconds, or None."""
        while self._heap and self._beats.get(self._heap[0][2]) is not self._heap[0][3]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def _push(self, key: Key, beat: _Beat) -> None:
        self._pushed += 1
        heappush(self._heap, (beat.at, self._pushed, key, beat))
