"""What people are told of health: values, made at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.health.answers import Outcome
    from actors.health.score import ComponentState
    from actors.health.settings import ProbeKind
    from actors.health.trend import Trend


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check that ended.

    Attributes:
        kind: The probe's.
        place: Where it ran; empty for the monitor's own process.
        outcome: How it ended.
        duration_s: How long it took, seconds; None if it never ended, or none ran.
        detail: What it said.
        score: The score that it gave, if it did.
        counted: False when the monitor was blind meanwhile, and it said nothing.
        ago_s: How long before it was told it ended, seconds.
    """

    kind: ProbeKind
    place: str
    outcome: Outcome
    duration_s: float | None = None
    detail: str = ""
    score: float | None = None
    counted: bool = True
    ago_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentHealth:
    """One component at one moment.

    Attributes:
        name: The component.
        state: As told: the worst that it was while it flaps.
        score: 0 to 100, with what its dependencies have lost; None if nothing is known.
        trend: Where the score is going.
        since_s: How long it has been in this state, seconds.
        flapping: Whether it changes all the time.
        caused_by: The dependencies that are down, where that began; empty if none is.
        critical: Whether the system is never better than it.
        weight: Its share of the system's score.
        availability: Fraction of the known time that it was up, per window in seconds; None where nothing is known.
        last: Its latest check.
    """

    name: str
    state: ComponentState
    score: float | None
    trend: Trend
    since_s: float
    flapping: bool
    caused_by: tuple[str, ...]
    critical: bool
    weight: float
    availability: Mapping[float, float | None]
    last: Check | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemHealth:
    """All components at one moment.

    Attributes:
        score: 0 to 100; None if nothing is known.
        trend: Where it is going.
        components: Each, by name.
        blind: Why the monitor does not see now what it should, empty if it does.
    """

    score: float | None
    trend: Trend
    components: Mapping[str, ComponentHealth]
    blind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen of a component by whoever wanted to know it now.

    Attributes:
        state: Its state afterwards.
        begun: Checks that ran for it.
        ended: Those that have ended since.
        bad: What the latest of them said that did not pass; empty if all have.
    """

    state: ComponentState
    begun: int
    ended: int
    bad: str = ""

    @property
    def is_well(self) -> bool:
        """Whether it was seen to be well, not only thought to be."""
        return self.state == "healthy" and not self.bad and (self.ended > 0 or not self.begun)
