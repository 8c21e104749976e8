"""The latest changes of incidents' phases, as they lie on every board for whoever subscribes. Pure and bounded."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actors.healer.incident import Incident, Phase

PHASES = "phases"
"""The topic."""

STALE = "stale"
"""The topic with the patterns of components whose earlier results may be needed."""

CHANGES_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentChange:
    """One change, as subscribers are told.

    Attributes:
        incident_id: Of which incident.
        component: What is sick.
        failure: The class of failure.
        severity: The worst that was reported.
        before: Its phase until then; None for a new incident.
        after: Its phase from then on.
        detail: In words.
        at_us: When, microseconds since the Unix epoch.
    """

    incident_id: str
    component: str
    failure: str
    severity: str
    before: Phase | None
    after: Phase
    detail: str
    at_us: int


Numbered = tuple[int, int, IncidentChange]
"""The life of the coordinator, the number of the change in it, and the change."""


class LatestPhases:
    """Those of one life.

    Args:
        incarnation: The life.
    """

    def __init__(self, incarnation: int) -> None:
        self._incarnation = incarnation
        self._number = 0
        self._changes: deque[Numbered] = deque(maxlen=CHANGES_MAX)

    def add(self, incident: Incident, before: Phase | None, at_us: int) -> None:
        """It happened."""
        self._number += 1
        change = IncidentChange(
            incident_id=incident.incident_id,
            component=incident.component,
            failure=incident.failure,
            severity=incident.severity,
            before=before,
            after=incident.phase,
            detail=incident.history[-1].detail if incident.history else "",
            at_us=at_us,
        )
        self._changes.append((self._incarnation, self._number, change))

    def all(self) -> tuple[Numbered, ...]:
        """The latest last."""
        return tuple(self._changes)


def news(laid: tuple[Numbered, ...], seen: tuple[int, int]) -> list[IncidentChange]:
    """Those after the last one that was seen, by life and number."""
    return [change for life, number, change in laid if (life, number) > seen]
