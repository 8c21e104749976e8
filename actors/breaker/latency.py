"""How long calls took, in a bounded number of buckets, and the percentiles of that. Pure.

A bucket spans an eighth of a doubling, so a percentile is off by 6 % at most, from a microsecond to 68 minutes. What is
shorter or longer is counted in the first or last bucket. Counts travel as (bucket, count) pairs and add up.

Source: the idea of HdrHistogram and of OpenTelemetry's exponential histogram.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from math import frexp, ldexp

Counts = Iterable[tuple[int, int]]

_PARTS = 8
_LOWEST = -20
_HIGHEST = 12
BUCKETS = (_HIGHEST - _LOWEST) * _PARTS


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
        self.add_counts(counts)

    def __len__(self) -> int:
        return self._counts.total()

    def add(self, duration_s: float) -> None:
        """One call took so long."""
        self._counts[bucket_of(duration_s)] += 1

    def add_counts(self, counts: Counts) -> None:
        """Take what another histogram counted; a bucket that there is not counts as the nearest."""
        for bucket, count in counts:
            self._counts[min(BUCKETS - 1, max(0, bucket))] += count

    def counts(self) -> tuple[tuple[int, int], ...]:
        """The buckets that hold something, in order, to be sent or kept."""
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
