"""Which troubles, and ends of troubles, rows of the log tell of: children, their groups, and breakers. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from actors.healer import messages as m

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from actors.healer.settings import HealerSettings
    from actors.recovery.strategies import Severity

BREAKERS = "circuit_breaker_state_history"
CHILDREN = "children"

GIVEN_UP = "given up"
ESCALATED = "escalated"
DIED = "died"
BREAKER_OPEN = "breaker open"

_CHILD = "child/"
_SUPERVISOR = "supervisor/"
"""What the component of a group begins with that nobody above takes over; that of the root is the supervisor's own."""
_WELL = ("normal", "shutdown")
"""Ends of children that nobody has to mend."""


class Troubles:
    """What one life of the coordinator makes of the log.

    Args:
        settings: What is an incident.
    """

    def __init__(self, settings: HealerSettings) -> None:
        self._settings = settings
        self._given_up: set[str] = set()
        self._escalated: dict[str, datetime] = {}

    @property
    def kinds(self) -> list[str]:
        """The tables that are looked at."""
        settings = self._settings
        children = settings.on_child_given_up or settings.on_child_death or settings.on_escalation
        return [*([CHILDREN] if children else []), *([BREAKERS] if self._settings.on_breaker_open else [])]

    def of(self, row: Mapping[str, Any], now_us: int) -> tuple[m.TroubleReported | m.TroubleEnded, ...]:
        """What a row, with its table as `kind`, tells of at `now_us`, microseconds since the Unix epoch."""
        found = (self._of_group(row), self._of_child(row)) if row["kind"] == CHILDREN else (self._of_breaker(row),)
        began_us: float = row["at_time"].timestamp() * 1e6
        began_ago_s = max(0.0, (now_us - began_us) / 1e6)
        return tuple(
            replace(event, began_ago_s=began_ago_s) if isinstance(event, m.TroubleReported) else event
            for event in found
            if event is not None
        )

    def _of_group(self, row: Mapping[str, Any]) -> m.TroubleReported | m.TroubleEnded | None:
        key: str = row["child"]
        if row["event"] == "escalated":
            self._escalated[key] = row["at_time"]
            return _trouble(f"{_SUPERVISOR}{key}", ESCALATED, self._settings.on_escalation, row, source="supervisor")
        group = _top_of(key)
        if row["event"] == "ready" and group in self._escalated and row["at_time"] > self._escalated[group]:
            del self._escalated[group]  # somebody has started it again
            return m.TroubleEnded(component=f"{_SUPERVISOR}{group}")
        return None

    def _of_child(self, row: Mapping[str, Any]) -> m.TroubleReported | m.TroubleEnded | None:
        key: str = row["child"]
        if not key.startswith(_CHILD):
            return None  # what is ours is the supervisor's own to mend
        name = key.removeprefix(_CHILD)
        if row["event"] == "given_up":
            self._given_up.add(name)
            return _trouble(name, GIVEN_UP, self._settings.on_child_given_up, row, source="supervisor")
        if row["event"] == "ready" and name in self._given_up:
            self._given_up.discard(name)
            return m.TroubleEnded(component=name)
        if row["event"] == "died" and row["exit_class"] not in _WELL:
            return _trouble(name, DIED, self._settings.on_child_death, row, source="supervisor")
        return None

    def _of_breaker(self, row: Mapping[str, Any]) -> m.TroubleReported | m.TroubleEnded | None:
        if row["event"] != "transition":
            return None
        if row["to_state"] == "open":
            return _trouble(row["breaker"], BREAKER_OPEN, self._settings.on_breaker_open, row, source="breaker")
        return m.TroubleEnded(component=row["breaker"]) if row["to_state"] == "closed" else None


def _top_of(key: str) -> str:
    """The group directly under the supervisor that a child is in."""
    concern, _, name = key.partition("/")
    match concern:
        case "child" | "supervisor":
            return "root"
        case "worker":
            return f"pool:{name.rpartition('-')[0]}"
        case _:
            return "system"


def _trouble(
    component: str, failure: str, severity: Severity | None, row: Mapping[str, Any], *, source: str
) -> m.TroubleReported | None:
    if severity is None:
        return None
    return m.TroubleReported(
        component=component,
        failure=failure,
        severity=severity,
        detail=row["detail"] or "",
        source=source,
        node=row.get("node_id") or "",
    )
