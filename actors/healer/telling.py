"""What people are told of an incident, and by which keys. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.notifier.messages import Alert
from actors.recovery.strategies import Escalate

if TYPE_CHECKING:
    from actors.healer.incident import Incident

_NOTIFY = "escalate: notify"


def alert_of(incident: Incident, *, runbook: str = "", key: str = "escalated") -> Alert:
    """What people are told; each time has a key of its own, so that they are told again.

    Args:
        incident: The incident.
        runbook: A link for whoever takes it.
        key: Tells this time from others of the same incident.
    """
    tried = "; ".join(
        f"{entry.what} {entry.outcome} {entry.detail}".strip() for entry in incident.history if entry.outcome
    )
    lines = (incident.detail, f"tried: {tried}" if tried else "")
    return Alert(
        key=f"{incident.incident_id}/{key}",
        component=incident.component,
        severity=incident.severity,
        title=f"{incident.component}: {incident.failure}",
        body="\n".join(line for line in lines if line),
        runbook=runbook,
        incident_id=incident.incident_id,
    )


def time_key(position: int, number: int) -> str:
    """The key of one time that an `Escalate` told people."""
    return f"{position}.{number}"


def keys_of(incident: Incident) -> tuple[str, ...]:
    """The keys under which people were told of it, as far as its history goes back."""
    times = sum(entry.what == _NOTIFY and entry.outcome == "succeeded" for entry in incident.history)
    escalated = any(entry.what == "escalated" for entry in incident.history) and not times
    keys = [
        time_key(position, number)
        for position, strategy in enumerate(incident.strategies)
        if isinstance(strategy, Escalate) and times
        for number in range(min(strategy.repeats, len(incident.history)))
    ]
    if escalated and incident.phase == "resolved":
        keys.append("escalated")
    return tuple(f"{incident.incident_id}/{key}" for key in keys)


def wants_people(incident: Incident) -> bool:
    """Whether people are still to be told of an incident: nobody was, and it is nobody's."""
    return incident.phase == "escalated" and not keys_of(incident) and not incident.owner
