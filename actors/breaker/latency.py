"""How long the calls of a window took, in a bounded number of buckets, and the percentiles of that. Pure.

A bucket spans an eighth of a doubling, so a percentile is off by 6 % at most, from a microsecond to 68 minutes. What is
shorter or longer is counted in the first or last bucket. There are 256, so that a call is an octet on its way to the
owner: in order, for what is old leaves the window as the calls themselves do, by their number or by their age.

Source: the idea of HdrHistogram and of OpenTelemetry's exponential histogram.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable
from math import floor, frexp, ldexp
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actors.breaker.settings import BreakerSettings

Counts = Iterable[tuple[int, int]]

_PARTS = 8
_LOWEST = -20
_HIGHEST = 12
BUCKETS = (_HIGHEST - _LOWEST) * _PARTS

PARTS_OF_TIME = 20
"""A window of time lets calls go in so many steps."""


def bucket_of(duration_s: float) -> int:
    """The bucket of a call that took so long."""
    if duration_s < ldexp(1.0, _LOWEST):
        return 0
    if not duration_s < ldexp(1.0, _HIGHEST):
        return BUCKETS - 1
    mantissa, exponent = frexp(duration_s)  # duration = mantissa * 2**exponent, mantissa from 0.5 to below 1
    part = int((mantissa * 2 - 1) * _PARTS)
    return (exponent - 1 - _LOWEST) * _PARTS + part


def middle_of(bucket: int) -> float:
    """The duration that stands for a bucket, seconds."""
    doubling, part = divmod(bucket, _PARTS)
    return ldexp(1.0 + (part + 0.5) / _PARTS, doubling + _LOWEST)


class Histogram:
    """Durations of calls."""

    def __init__(self, counts: Counts = ()) -> None:
        self._counts: Counter[int] = Counter()
        for bucket, count in counts:
            self._counts[min(BUCKETS - 1, max(0, bucket))] += count

    def __len__(self) -> int:
        return self._counts.total()

    def counts(self) -> tuple[tuple[int, int], ...]:
        """The buckets that hold something, in order."""
        return tuple(sorted(self._counts.items()))

    def percentile(self, fraction: float) -> float | None:
        """The duration that this fraction of the calls did not exceed, seconds; None without calls."""
        wanted = fraction * len(self)
        seen = 0
        for bucket, count in self.counts():
            seen += count
            if seen >= wanted:
                return middle_of(bucket)
        return None


class Latencies(ABC):
    """The durations of the calls of a window, whatever state they were made in."""

    @abstractmethod
    def add(self, octets: bytes, now: float) -> None:
        """Calls that took so long ended by `now`, monotonic seconds; an octet for each bucket, oldest first."""

    @abstractmethod
    def counts(self, now: float) -> tuple[tuple[int, int], ...]:
        """Those that are in the window at `now`: the buckets that hold something, in order."""


class CountLatencies(Latencies):
    """Those of the last `size` calls that were measured."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._octets = bytearray()

    def add(self, octets: bytes, now: float) -> None:
        del now
        self._octets += octets
        del self._octets[: -self._size]

    def counts(self, now: float) -> tuple[tuple[int, int], ...]:
        del now
        return _counted(self._octets)


class TimeLatencies(Latencies):
    """Those of the last `window_s` seconds; a `now` before the latest one counts as the latest."""

    def __init__(self, window_s: float) -> None:
        self._part_s = window_s / PARTS_OF_TIME
        self._latest: int | None = None
        self._parts: dict[int, Counter[int]] = {}

    def add(self, octets: bytes, now: float) -> None:
        part = self._settle(now)
        self._parts.setdefault(part, Counter()).update(octets)

    def counts(self, now: float) -> tuple[tuple[int, int], ...]:
        self._settle(now)
        return tuple(sorted(sum(self._parts.values(), Counter[int]()).items()))

    def _settle(self, now: float) -> int:
        index = floor(now / self._part_s)
        latest = self._latest = index if self._latest is None else max(self._latest, index)
        self._parts = {part: counts for part, counts in self._parts.items() if part > latest - PARTS_OF_TIME}
        return latest


def make_latencies(settings: BreakerSettings) -> Latencies:
    """Those of the window that the settings ask for."""
    if settings.window_s is not None:
        return TimeLatencies(settings.window_s)
    assert settings.window_calls is not None
    return CountLatencies(settings.window_calls)


def _counted(octets: Iterable[int]) -> tuple[tuple[int, int], ...]:
    return tuple(sorted(Counter(octets).items()))
