"""For how much of the time was a component up? Over windows, in a bounded number of buckets. Pure.

A window has 60 buckets of a sixtieth of its length, so it covers between 59 and 60 sixtieths: the bucket that is being
filled, and those before it. Time in which nothing was known of the component is left out of both sides.
"""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

BUCKETS = 60


class _Window:
    __slots__ = ("bucket_s", "seen", "slot", "up")

    def __init__(self, window_s: float, now: float) -> None:
        self.bucket_s = window_s / BUCKETS
        self.slot = floor(now / self.bucket_s)
        self.up = [0.0] * BUCKETS
        self.seen = [0.0] * BUCKETS

    def move(self, now: float) -> None:
        slot = max(self.slot, floor(now / self.bucket_s))
        for each in range(max(self.slot + 1, slot - BUCKETS + 1), slot + 1):
            self.up[each % BUCKETS] = self.seen[each % BUCKETS] = 0.0
        self.slot = slot

    def add(self, begin: float, end: float, *, up: bool) -> None:
        self.move(end)
        begin = max(begin, (self.slot - BUCKETS + 1) * self.bucket_s)
        for slot in range(floor(begin / self.bucket_s), self.slot + 1):
            length_s = min(end, (slot + 1) * self.bucket_s) - max(begin, slot * self.bucket_s)
            self.seen[slot % BUCKETS] += length_s
            self.up[slot % BUCKETS] += length_s * up


class Availability:
    """One component's.

    Args:
        windows_s: The windows, seconds.
        now: When it began, monotonic seconds.
    """

    def __init__(self, windows_s: Sequence[float], *, now: float) -> None:
        self._windows = {window_s: _Window(window_s, now) for window_s in windows_s}
        self._told = now
        self._up: bool | None = None

    def settle(self, now: float) -> None:
        """It has been as it was last said to be, until `now`."""
        if self._up is not None and now > self._told:
            for window in self._windows.values():
                window.add(self._told, now, up=self._up)
        self._told = max(self._told, now)

    def turn(self, up: bool | None, now: float) -> None:  # noqa: FBT001 - three values, of which None is one
        """It is up, down or unknown (None) from `now` on."""
        self.settle(now)
        self._up = up

    def skip(self, now: float) -> None:
        """Nobody looked until `now`: that time counts for nothing."""
        self._told = max(self._told, now)

    def shares(self, now: float) -> dict[float, float | None]:
        """Per window the fraction of the known time that it was up; None where nothing is known."""
        self.settle(now)
        found: dict[float, float | None] = {}
        for window_s, window in self._windows.items():
            window.move(now)
            seen_s = sum(window.seen)
            found[window_s] = min(1.0, sum(window.up) / seen_s) if seen_s > 0 else None
        return found
