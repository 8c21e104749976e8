"""Is it getting better or worse? A robust slope and how certain it is. Pure.

The slope is the median of the slopes between all pairs of points (Theil-Sen): a fifth of them may be nonsense. How
certain it is says the Mann-Kendall test: how many pairs rise, against how many fall, compared with what chance would
give. Two points always rise or fall, so nothing is told from fewer than a handful.

Source: Sen, "Estimates of the regression coefficient based on Kendall's tau" (1968); Mann (1945), Kendall (1975).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import erf, sqrt
from statistics import median
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actors.health.settings import MonitorSettings

Direction = Literal["improving", "stable", "declining"]

_MINUTE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Where a score is going.

    Attributes:
        direction: In a word; "stable" also when nothing can be told.
        confidence: How certain that direction is, 0 to 1; 0 when there are too few points.
        slope_per_min: Points a minute.
        points: Points that it was judged on.
    """

    direction: Direction = "stable"
    confidence: float = 0.0
    slope_per_min: float = 0.0
    points: int = 0


def trend(points: Sequence[tuple[float, float]], settings: MonitorSettings) -> Trend:
    """The trend of (monotonic seconds, score), oldest first; only the latest `trend_points` count."""
    latest = points[-settings.trend_points :]
    if len(latest) >= settings.trend_least and all(value == latest[0][1] for _, value in latest):
        return Trend(confidence=1.0, points=len(latest))  # most are, and there may be thousands
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(latest, 2) if b[0] > a[0]]
    if len(latest) < settings.trend_least or not slopes:
        return Trend(points=len(latest))
    slope = median(slopes) * _MINUTE_S
    certainty = _certainty([value for _, value in latest])
    moves = certainty >= settings.trend_confidence and slope != 0 and abs(slope) >= settings.trend_slope_per_min
    if not moves:
        flat = abs(slope) < settings.trend_slope_per_min or slope == 0
        return Trend(confidence=max(1.0 - certainty, certainty * flat), slope_per_min=slope, points=len(latest))
    return Trend(
        direction="improving" if slope > 0 else "declining",
        confidence=certainty,
        slope_per_min=slope,
        points=len(latest),
    )


def _certainty(values: Sequence[float]) -> float:
    """1 less the chance that so many pairs rise (or fall) without a trend; ties are accounted for."""
    n = len(values)
    score = sum((b > a) - (b < a) for a, b in combinations(values, 2))
    ties = (values.count(each) for each in set(values))
    variance = (n * (n - 1) * (2 * n + 5) - sum(t * (t - 1) * (2 * t + 5) for t in ties)) / 18
    if score == 0 or variance <= 0:
        return 0.0
    return erf((abs(score) - 1) / sqrt(2 * variance))
