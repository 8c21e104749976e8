"""What the log has of the incidents of this life of the cluster: what a new life of the coordinator goes on with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from actors.healer import messages as m
from actors.healer import rows
from actors.healer.incident import Incident
from actors.healer.packing import unpack_incident, unpack_plan
from actors.runtime.errors import EventLogError
from actors.service.writer import as_octets

PATIENCE_S = 15.0
"""How long the log is waited for, seconds; then there is nothing to go on with."""


class Query(Protocol):
    """Asks the log."""

    def __call__(self, sql: str, parameters: tuple[Any, ...] = ..., *, patience_s: float = ...) -> list[dict[str, Any]]:
        """The rows of one SELECT."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """What was found.

    Attributes:
        kept: For the machine.
        last: Each of its incidents, with as much of its history as is in the log.
        began: When each was detected.
        cursor: What was written to the log after this may be news; None: nothing is known of before.
    """

    kept: m.KeptHealer
    last: dict[str, Incident] = field(default_factory=dict[str, Incident])
    began: dict[str, rows.Began] = field(default_factory=dict[str, rows.Began])
    cursor: int | None = None


def read_journal(query: Query, *, era: int, now_us: int, escalated_s: float) -> Journal:
    """What the log has; nothing while it does not answer.

    Args:
        query: Asks it.
        era: The cluster's life; lessons are of all of them.
        now_us: The moment, microseconds since the Unix epoch.
        escalated_s: How long an escalated incident is the same trouble still, seconds.
    """
    since_us = now_us - round(escalated_s * 1e6)
    try:
        incidents = query(rows.OPEN_INCIDENTS, (era, since_us), patience_s=PATIENCE_S)
        holds, plans = query(rows.HOLDS, (era,)), query(rows.LATEST_PLANS, (era,))
        lessons, (latest,) = query(rows.LATEST_LESSONS), query(rows.LATEST_RECORD, (era,))
        told = {row["incident_id"]: row["told"] for row in query(rows.TOLD, (era,))}
    except EventLogError:
        return Journal(kept=m.KeptHealer(holds={}, depends_on={}))
    last: dict[str, Incident] = {}
    began: dict[str, rows.Began] = {}
    kept: list[m.KeptIncident] = []
    for row in incidents:
        incident = unpack_incident(as_octets(row["kept"]))
        detect_s = row["detect_ms"] / 1000
        last[incident.incident_id] = replace(incident, history=incident.history[: told.get(incident.incident_id, 0)])
        began[incident.incident_id] = rows.Began(detected_us=row["detected_us"], detect_s=detect_s)
        age_s = max(0.0, (now_us - row["detected_us"]) / 1e6)
        kept.append(m.KeptIncident(incident=incident, age_s=age_s, began_ago_s=detect_s))
    return Journal(
        kept=m.KeptHealer(
            incidents=tuple(kept),
            holds={row["component"]: (row["who"], row["detail"] or "") for row in holds},
            plans=tuple(unpack_plan(as_octets(row["kept"])) for row in plans),
            lessons=tuple(lessons),
            depends_on={},
        ),
        last=last,
        began=began,
        cursor=latest["latest"],
    )
