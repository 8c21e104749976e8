"""For how much of the time was a component up? Over windows, in a bounded number of buckets. Pure.

A window has 60 buckets of a sixtieth of its length, so it covers between 59 and 60 sixtieths: the bucket that is being
filled, and those before it. Time in which nothing was known of the component is left out of both sides.

A monitor's next life goes on with the buckets of this one: they travel compressed, as they were when they were last
packed, with the spans of time that were added since. To pack them is slow, and a monitor that was starved has a span to
add to all components at once: so they are packed seldom, and not all at once.
"""

from __future__ import annotations

import zlib
from array import array
from math import floor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

BUCKETS = 60

SPANS_MAX = 8
"""With more spans since it was packed it is to be packed again."""

SPANS_LIMIT = 64
"""With so many it is, at once."""

Span = tuple[float, float, bool]
"""From when to when it was up, or down."""

KeptAvailability = tuple[tuple[float, ...], bool | None, float, tuple[Span, ...], float, bytes]
"""Its windows, seconds; whether it is up, and for how long, seconds; the spans before that (how long ago each began and
ended); how long ago it was packed, and the buckets as they were then; none if it never was.
"""

_FULL = 65_535
"""A bucket travels as a number from 0 to this."""


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

    def packed(self) -> list[int]:
        """The buckets from the oldest to the one that is being filled: what was seen, and of that what was up."""
        places = [slot % BUCKETS for slot in range(self.slot - BUCKETS + 1, self.slot + 1)]
        scale = _FULL / self.bucket_s
        return [min(_FULL, round(times[place] * scale)) for times in (self.seen, self.up) for place in places]

    def resume(self, packed: Sequence[int], now: float) -> None:
        self.slot = floor(now / self.bucket_s)
        for number, share in enumerate(packed):
            times = self.seen if number < BUCKETS else self.up
            times[(self.slot + 1 + number) % BUCKETS] = share * self.bucket_s / _FULL


class Availability:
    """One component's.

    Args:
        windows_s: The windows, seconds.
        now: When it began, monotonic seconds.
    """

    def __init__(self, windows_s: Sequence[float], *, now: float) -> None:
        self._windows = {window_s: _Window(window_s, now) for window_s in windows_s}
        self._told = self._since = now
        self._up: bool | None = None
        self._spans: list[Span] = []
        self._packed = now, b""

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever known of it."""
        return self._up is None and not any(any(window.seen) for window in self._windows.values())

    @property
    def is_long(self) -> bool:
        """Whether it is to be packed again."""
        return len(self._spans) > SPANS_MAX

    def settle(self, now: float) -> None:
        """It has been as it was last said to be, until `now`."""
        if self._up is not None and now > self._told:
            for window in self._windows.values():
                window.add(self._told, now, up=self._up)
        self._told = max(self._told, now)

    def turn(self, up: bool | None, now: float) -> None:  # noqa: FBT001 - three values, of which None is one
        """It is up, down or unknown (None) from `now` on."""
        self.settle(now)
        if up != self._up:
            self._end_span()
            self._up = up

    def skip(self, now: float) -> None:
        """Nobody looked until `now`: that time counts for nothing."""
        self._end_span()
        self._told = self._since = max(self._told, now)

    def pack(self) -> None:
        """Pack the buckets as they are now, with all that was added to them."""
        for window in self._windows.values():
            window.move(self._told)
        shares = [share for window in self._windows.values() for share in window.packed()]
        self._packed = self._told, zlib.compress(array("H", shares).tobytes(), 1)
        self._spans, self._since = [], self._told

    def kept(self, now: float) -> KeptAvailability:
        """What a successor goes on with."""
        packed_at, packed = self._packed
        spans = tuple((now - begin, now - end, up) for begin, end, up in self._spans)
        return tuple(self._windows), self._up, max(0.0, now - self._since), spans, max(0.0, now - packed_at), packed

    def _end_span(self) -> None:
        if self._up is not None and self._told > self._since:
            self._spans.append((self._since, self._told, self._up))
        self._since = self._told
        if len(self._spans) >= SPANS_LIMIT:
            self.pack()

    def resume(self, kept: KeptAvailability, *, now: float, kept_ago_s: float, away_s: float) -> None:
        """Go on from there: it was as it was said to be until nobody looked any more. Other windows begin anew.

        Args:
            kept: What an earlier life has kept.
            now: The moment, monotonic seconds.
            kept_ago_s: How long ago that was, seconds.
            away_s: For how long nobody has looked, seconds.
        """
        windows_s, up, up_s, spans, packed_ago_s, packed = kept
        if windows_s != tuple(self._windows):
            self.turn(up, now)
            return
        kept_at = now - kept_ago_s
        self._packed = kept_at - packed_ago_s, packed
        shares = array("H", zlib.decompress(packed) if packed else b"")
        for number, window in enumerate(self._windows.values()):
            window.resume(shares[2 * BUCKETS * number : 2 * BUCKETS * (number + 1)], self._packed[0])
        self._spans = [(kept_at - begin_ago_s, kept_at - end_ago_s, was_up) for begin_ago_s, end_ago_s, was_up in spans]
        for begin, end, was_up in self._spans:
            for window in self._windows.values():
                window.add(begin, end, up=was_up)
        self._told = self._since = kept_at - up_s
        self._up = up
        self.settle(now - away_s)
        self.skip(now)

    def shares(self, now: float) -> dict[float, float | None]:
        """Per window the fraction of the known time that it was up; None where nothing is known."""
        self.settle(now)
        found: dict[float, float | None] = {}
        for window_s, window in self._windows.items():
            window.move(now)
            seen_s = sum(window.seen)
            found[window_s] = min(1.0, sum(window.up) / seen_s) if seen_s > 0 else None
        return found
