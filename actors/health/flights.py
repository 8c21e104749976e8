"""The checks in flight, and when each has taken too long; O(log n). Pure."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actors.health.answers import Outcome
    from actors.health.component import ProbeKey


class Flights:
    """Which check is whose."""

    def __init__(self) -> None:
        self._keys: dict[int, ProbeKey] = {}
        self._waiting: dict[int, float] = {}
        self._heap: list[tuple[float, int]] = []
        self._last = 0

    def __len__(self) -> int:
        return len(self._keys)

    def begin(self, key: ProbeKey, *, expires_at: float) -> int:
        """One more; returns its number, never used before."""
        self._last += 1
        self._keys[self._last] = key
        self._waiting[self._last] = expires_at
        heappush(self._heap, (expires_at, self._last))
        return self._last

    def end(self, number: int) -> ProbeKey | None:
        """It ended; returns whose it was, or None if it is not in flight."""
        self._waiting.pop(number, None)
        return self._keys.pop(number, None)

    def expired(self, now: float) -> list[int]:
        """Those that have taken too long by `now`, told once; they are in flight still."""
        found: list[int] = []
        while self._heap and self._heap[0][0] <= now:
            _, number = heappop(self._heap)
            if self._waiting.pop(number, None) is not None:
                found.append(number)
        return found

    def delay(self, blind_s: float) -> list[int]:
        """Nobody looked for so long: each has that much more time. Returns those that were waited for."""
        self._waiting = {number: at + blind_s for number, at in self._waiting.items()}
        self._heap = [(at, number) for number, at in self._waiting.items()]
        heapify(self._heap)
        return list(self._waiting)

    def next_at(self) -> float | None:
        """When the next one expires, monotonic seconds, or None."""
        while self._heap and self._heap[0][1] not in self._waiting:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def key(self, number: int) -> ProbeKey:
        """Whose it is; it must be in flight."""
        return self._keys[number]


def silence(key: ProbeKey) -> Outcome:
    """What no answer means: of another place that it cannot be reached, of one's own that it takes too long."""
    return "unreachable" if key[2] else "timed_out"
