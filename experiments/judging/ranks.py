"""Are these calls slower than those? The Mann-Whitney test, and by how much. Pure.

Latencies have no bell shape, and a few slow calls move a mean anywhere; ranks do not mind. Two things must agree before
a shift is told: chance would seldom do it (p), and it is as large as the user finds worth telling (the shift).

Rejected: scipy's, which brings 100 MB for thirty lines; an exact p, which differs only below twenty samples, and so few
are refused anyway.

Source: Mann and Whitney 1947; Hodges and Lehmann 1963. The test compares with values of scipy.stats.mannwhitneyu.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from math import erfc, sqrt
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

PAIRS_MAX = 300
"""Of each side, evenly taken from its order, for the shift: it looks at all pairs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """How two samples differ.

    Attributes:
        p: How often chance alone would make them differ as much, 0 to 1, two-sided.
        shift_s: By how much the second is slower, the median over all pairs, seconds; negative: it is faster.
        superiority: How often a call of the second is slower than one of the first, 0 to 1; 1/2 is no difference.
    """

    p: float
    shift_s: float
    superiority: float

    def is_real(self, *, alpha: float, least_s: float) -> bool:
        """Whether it is neither chance nor too small to matter."""
        return self.p < alpha and abs(self.shift_s) >= least_s


def compare(baseline: Sequence[float], fault: Sequence[float]) -> Shift:
    """Compare two samples of seconds.

    Raises:
        ValueError: One of them is empty.
    """
    if not baseline or not fault:
        raise ValueError("a sample is empty: there is nothing to compare")
    first, second = len(baseline), len(fault)
    ranks, ties = _rank_sum(baseline, fault)
    above = ranks - second * (second + 1) / 2  # pairs in which the second is slower, ties counting half
    middle = first * second / 2
    count = first + second
    variance = first * second / 12 * (count + 1 - ties / (count * (count - 1))) if count > 1 else 0.0
    if variance <= 0:
        p = 1.0
    else:
        z = max(0.0, abs(above - middle) - 0.5) / sqrt(variance)
        p = min(1.0, erfc(z / sqrt(2)))  # 2 * (1 - the normal distribution), exact for small ones, too
    return Shift(p=p, shift_s=_typical_difference(baseline, fault), superiority=above / (first * second))


def _rank_sum(baseline: Sequence[float], fault: Sequence[float]) -> tuple[float, float]:
    """The sum of the ranks of `fault` among all, and the sum of t^3 - t over groups of t equal values."""
    everything = sorted([(value, 0) for value in baseline] + [(value, 1) for value in fault])
    total = ties = 0.0
    before = 0
    for _, group in groupby(everything, key=lambda pair: pair[0]):
        members = [which for _, which in group]
        size = len(members)
        total += sum(members) * (before + (size + 1) / 2)
        ties += size**3 - size
        before += size
    return total, ties


def _typical_difference(baseline: Sequence[float], fault: Sequence[float]) -> float:
    first, second = _thinned(baseline), _thinned(fault)
    return median(slow - fast for slow in second for fast in first)


def _thinned(values: Sequence[float]) -> list[float]:
    ordered = sorted(values)
    if len(ordered) <= PAIRS_MAX:
        return ordered
    return [ordered[number * (len(ordered) - 1) // (PAIRS_MAX - 1)] for number in range(PAIRS_MAX)]
