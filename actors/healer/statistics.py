"""How well healing works: success rate, mean times, escalations, by component and strategy. Pure and bounded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES_MAX = 1000
"""Components, and strategies, that are counted each on its own; the rest is in the total only."""


@dataclass(slots=True, kw_only=True)
class Counts:
    """Of all incidents, of one component, or of one strategy.

    Attributes:
        resolved: That ended well.
        escalated: That people had to take over.
        detect_s: Time until they were detected, in all, seconds.
        recover_s: Time from there until the resolved ones were well, in all, seconds.
    """

    resolved: int = 0
    escalated: int = 0
    detect_s: float = 0.0
    recover_s: float = 0.0

    @property
    def incidents(self) -> int:
        """All that ended."""
        return self.resolved + self.escalated

    @property
    def success_rate(self) -> float | None:
        """Fraction of them that ended well; None before the first."""
        return self.resolved / self.incidents if self.incidents else None

    @property
    def escalation_rate(self) -> float | None:
        """Fraction of them that people had to take over; None before the first."""
        return self.escalated / self.incidents if self.incidents else None

    @property
    def mean_detect_s(self) -> float | None:
        """Mean time to detect, seconds; None before the first."""
        return self.detect_s / self.incidents if self.incidents else None

    @property
    def mean_recover_s(self) -> float | None:
        """Mean time to recover of the resolved ones, seconds; None before the first."""
        return self.recover_s / self.resolved if self.resolved else None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealerStatistics:
    """What has happened in this life of the healer.

    Attributes:
        total: Of all incidents.
        components: By component.
        strategies: By the strategy that was tried last.
        open: Incidents that are open.
        in_flight: Steps and verifications that run.
        waiting: Incidents that wait for one of those to end.
        dropped: Reports that were dropped because too many incidents are open.
    """

    total: Counts
    components: Mapping[str, Counts]
    strategies: Mapping[str, Counts]
    open: int
    in_flight: int
    waiting: int
    dropped: int


class Tally:
    """The counts."""

    def __init__(self) -> None:
        self.total = Counts()
        self.components: dict[str, Counts] = {}
        self.strategies: dict[str, Counts] = {}
        self.dropped = 0

    def close(self, component: str, strategy: str, *, resolved: bool, detect_s: float, recover_s: float) -> None:
        """An incident ended."""
        for counts in (self.total, _of(self.components, component), _of(self.strategies, strategy)):
            counts.resolved += resolved
            counts.escalated += not resolved
            counts.detect_s += detect_s
            counts.recover_s += recover_s if resolved else 0.0


def _of(table: dict[str, Counts], name: str) -> Counts:
    known = table.get(name)
    if known is None:
        known = Counts()
        if name and len(table) < NAMES_MAX:
            table[name] = known
    return known
