"""One row of the benchmark, and what was measured of it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the report.

    Attributes:
        name: What `--only` takes.
        title: What is measured.
        against: The other side, in words.
        unit: Of the shown values.
        scale: Measured values times this are shown.
        better: Whether the ratio is ours/theirs ("higher") or theirs/ours ("faster"), or ours/theirs to stay below.
        target: The ratio to reach.
    """

    name: str
    title: str
    against: str
    unit: str
    scale: float
    better: Literal["higher", "faster", "below"]
    target: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A row with its rounds: `ours[i]` and `theirs[i]` were measured one after the other."""

    row: Row
    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    @property
    def ratios(self) -> tuple[float, ...]:
        """The ratio of each round."""
        pairs = zip(self.ours, self.theirs, strict=True)
        if self.row.better == "faster":
            return tuple(theirs / ours for ours, theirs in pairs)
        return tuple(ours / theirs for ours, theirs in pairs)

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios."""
        return median(self.ratios)

    @property
    def reached(self) -> bool:
        """Whether the median ratio reaches the row's target."""
        return self.ratio <= self.row.target if self.row.better == "below" else self.ratio >= self.row.target

    def shown(self, values: Sequence[float]) -> str:
        """Median and range, in the row's unit."""
        scaled = sorted(value * self.row.scale for value in values)
        return f"{median(scaled):,.4g} {self.row.unit} ({scaled[0]:,.4g} - {scaled[-1]:,.4g})"

    def shown_ratio(self) -> str:
        """Median and range of the ratio."""
        ordered = sorted(self.ratios)
        return f"{self.ratio:.3g} x ({ordered[0]:.3g} - {ordered[-1]:.3g})"

    def shown_target(self) -> str:
        """The target as the row means it."""
        sign = "<=" if self.row.better == "below" else ">="
        return f"{sign} {self.row.target:g} x"


def p99(values: Collection[float]) -> float:
    """The smallest of the values that at least 99 of 100 do not exceed (nearest rank): of a hundred the last but one.

    Args:
        values: At least one.
    """
    return sorted(values)[ceil(0.99 * len(values)) - 1]
