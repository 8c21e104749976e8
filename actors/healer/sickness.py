"""Which troubles, and ends of troubles, the health monitor tells of: by how things stand, not by each turn. Pure.

    well --unhealthy--> reported, and again every `AGAIN_S` while it lasts --healthy--> ended

How things stand at the beginning counts: what fell sick while nobody coordinated is reported then, and what has become
well meanwhile is ended. One that changes all the time is held at its worst by the monitor; it is a trouble of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from actors.healer import messages as m
from actors.runtime.graph import in_order

if TYPE_CHECKING:
    from actors.health.published import HealthStanding
    from actors.recovery.strategies import Severity

SICK = "sick"
FLAPPING = "flapping"

AGAIN_S = 60.0
"""What lasts is reported again after so long, seconds: it joins its incident, or is a new one if that is long over."""


class Sickness:
    """What one life of the coordinator makes of the components' health.

    Args:
        severity: Of a sick component; None: it is no incident.
        where: The node that a component runs on, as far as that is known, else "".
    """

    def __init__(self, severity: Severity | None, where: Callable[[str], str]) -> None:
        self._severity: Severity | None = severity
        self._where = where
        self._begun = False
        self._reported: dict[str, tuple[str, float]] = {}
        self._ill: set[str] = set()
        self._depends_on: dict[str, tuple[str, ...]] = {}

    def of(self, standing: HealthStanding, now: float) -> list[m.Event]:
        """What is to be told of how things stand at `now`, monotonic seconds; causes come before what they cause."""
        events: list[m.Event] = []
        depends_on = dict(standing.depends_on)
        if depends_on != self._depends_on:
            self._depends_on = depends_on
            events.append(m.DependenciesChanged(depends_on=depends_on, by="health"))
        begins, self._begun = not self._begun, True
        if self._severity is None:
            return events
        for name in _ordered(standing):
            state = standing.components[name]
            if state == "unhealthy":
                self._ill.add(name)
                failure = FLAPPING if name in standing.flapping else SICK
                if self._is_due(name, failure, now):
                    events.append(self._trouble(name, failure, self._severity, standing))
            else:
                self._reported.pop(name, None)
                if state == "healthy" and name in self._ill:
                    self._ill.discard(name)
                    events.append(m.TroubleEnded(component=name))
                elif state == "healthy" and begins:
                    events += [m.TroubleEnded(component=name, failure=failure) for failure in (SICK, FLAPPING)]
        self._ill &= standing.components.keys()
        return events

    def _is_due(self, name: str, failure: str, now: float) -> bool:
        before = self._reported.get(name)
        if before is not None and before[0] == failure and now - before[1] < AGAIN_S:
            return False
        self._reported[name] = (failure, now)
        return True

    def _trouble(self, name: str, failure: str, severity: Severity, standing: HealthStanding) -> m.TroubleReported:
        note = standing.sick.get(name)
        return m.TroubleReported(
            component=name,
            failure=failure,
            severity=severity,
            detail="" if note is None else note.detail,
            source="health",
            began_ago_s=0.0 if note is None else note.silent_s,
            node=self._where(note.child if note is not None and note.child else name),
            child="" if note is None else note.child,
        )


def _ordered(standing: HealthStanding) -> list[str]:
    ranks = {name: rank for rank, name in enumerate(in_order(standing.depends_on))}
    return sorted(standing.components, key=lambda name: ranks.get(name, -1))
