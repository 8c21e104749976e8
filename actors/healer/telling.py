"""What people are told of an incident, and by which key. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.notifier.messages import Alert
from actors.recovery.strategies import Escalate

if TYPE_CHECKING:
    from actors.healer.incident import Incident

_NOTIFY = "escalate: notify"
_OF_INCIDENT = "/escalated"
_TIMES_MAX = 1000
"""So often an `Escalate` tells people at most."""


def alert_of(incident: Incident, *, runbook: str = "", nth: int = 0) -> Alert:
    """What people are told; all times of one incident have one key, so that its end is the end of all.

    Args:
        incident: The incident.
        runbook: A link for whoever takes it.
        nth: Which time that is; a later one is told anew.
    """
    tried = "; ".join(
        f"{entry.what} {entry.outcome} {entry.detail}".strip() for entry in incident.history if entry.outcome
    )
    lines = (incident.detail, f"tried: {tried}" if tried else "")
    return Alert(
        key=alert_key(incident.incident_id),
        component=incident.component,
        severity=incident.severity,
        title=f"{incident.component}: {incident.failure}",
        body="\n".join(line for line in lines if line),
        runbook=runbook,
        incident_id=incident.incident_id,
        nth=nth,
    )


def alert_key(incident_id: str) -> str:
    """The key under which people are told of an incident, however often."""
    return f"{incident_id}{_OF_INCIDENT}"


def is_of_incident(alert: Alert) -> bool:
    """Whether an alert is one that a healer has raised."""
    return bool(alert.incident_id) and alert.key == alert_key(alert.incident_id)


def nth_time(position: int, number: int) -> int:
    """Which time people are told by that step of the plan's strategy at that position."""
    return position * _TIMES_MAX + number


def may_be_told(incident: Incident) -> bool:
    """Whether people may have been told of an incident: an `Escalate` had its turn, or nothing has helped."""
    had_turn = any(isinstance(each, Escalate) for each in incident.strategies[: incident.position + 1])
    return had_turn or any(entry.what == "escalated" for entry in incident.history)


def wants_people(incident: Incident) -> bool:
    """Whether people are still to be told of an incident: nobody was, and it is nobody's."""
    was_told = any(entry.what == _NOTIFY and entry.outcome == "succeeded" for entry in incident.history)
    return incident.phase == "escalated" and not was_told and not incident.owner
