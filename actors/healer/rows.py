"""What the coordinator of recoveries writes to the event log, as rows, and what a successor reads there. Pure.

An incident's latest record is what its successor goes on from; its history is a row for each phase, step and
verification, and a span for each, all in the incident's trace.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from actors.recovery.strategies import title
from actors.service.writer import Row, as_text

if TYPE_CHECKING:
    from actors.healer import messages as m
    from actors.healer.incident import Entry, Incident

EVENTS = "recovery_events"
INCIDENTS = "recorded_incidents"
PLANS = "recorded_plans"
LESSONS = "recovery_lessons"
SPANS = "recorded_spans"

OPEN_INCIDENTS = (
    "SELECT kept, detect_ms, epoch_us(detected_at) AS detected_us FROM recorded_incidents WHERE era = ? "
    "QUALIFY row_number() OVER (PARTITION BY incident_id ORDER BY version DESC, ingest_id DESC) = 1 "
    "AND (is_over = 0 OR (phase = 'escalated' AND at_time >= make_timestamptz(?))) ORDER BY detected_at"
)
"""The incidents of a life of the cluster that were open, or escalated since then (microseconds since the Unix epoch),
oldest first, as they were last recorded."""

HOLDS = (
    "SELECT component, who, detail FROM recovery_events WHERE event IN ('hold', 'release') AND era = ? "
    "QUALIFY row_number() OVER (PARTITION BY component ORDER BY ingest_id DESC) = 1 AND event = 'hold'"
)
"""What operators hold."""

TOLD = (
    "SELECT incident_id, count(*) AS told FROM recovery_events "
    "WHERE era = ? AND event IN ('phase', 'step', 'verification') GROUP BY incident_id"
)
"""How many lines of each incident's history are in the log."""

LATEST_RECORD = "SELECT max(ingest_id) AS latest FROM recorded_incidents WHERE era = ?"
"""Rows after this one may tell of troubles that no life of the coordinator has seen."""

LATEST_PLANS = (
    "SELECT kept FROM recorded_plans WHERE era = ? "
    "QUALIFY row_number() OVER (PARTITION BY component, failure, severity ORDER BY ingest_id DESC) = 1 "
    "ORDER BY ingest_id"
)
"""What users have planned, the latest last."""

LATEST_LESSONS = (
    "SELECT component, failure, strategy, tries, successes, seconds FROM recovery_lessons "
    "QUALIFY row_number() OVER (PARTITION BY component, failure, strategy ORDER BY ingest_id DESC) = 1 AND tries > 0 "
    "ORDER BY ingest_id"
)
"""What was learned, in this life of the cluster and earlier ones, the latest last."""

RESULT_BYTES_MAX = 1 << 20
"""A larger result of a function is not written down: if the coordinator dies before it is handed on, it is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Who writes.

    Attributes:
        incarnation: Its life.
        era: The cluster's life.
    """

    incarnation: int
    era: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Began:
    """When an incident was detected, wall-clock microseconds, and how long its trouble had lasted then, seconds."""

    detected_us: int
    detect_s: float = 0.0


def incident_row(incident: Incident, kept: bytes, began: Began, writer: Writer, at_us: int) -> tuple[str, Row]:
    """An incident as a successor needs it; `kept` is all of it."""
    return INCIDENTS, (
        incident.incident_id,
        incident.version,
        incident.component,
        incident.failure,
        incident.severity,
        incident.phase,
        int(incident.is_over),
        None if incident.begun is None else incident.begun.action,
        writer.incarnation,
        writer.era,
        began.detect_s * 1000,
        began.detected_us,
        as_text(kept),
        at_us,
    )


def news(before: Incident | None, after: Incident) -> tuple[Entry, ...]:
    """The lines that its history has got since it was recorded before."""
    if before is None or not before.history:
        return after.history
    latest = before.history[-1]
    for number in range(len(after.history) - 1, -1, -1):
        if after.history[number] is latest or after.history[number] == latest:
            return after.history[number + 1 :]
    return after.history


def history_rows(before: Incident | None, after: Incident, began: Began, writer: Writer) -> list[tuple[str, Row]]:
    """What has happened since, as rows and spans; an incident that is over has its own span, too."""
    told: list[tuple[str, Row]] = []
    first = 0 if before is None else len(before.history)
    for number, entry in enumerate(news(before, after), start=first):
        span = span_of(f"{after.incident_id}/{number}")
        at_us = began.detected_us + round(entry.after_s * 1e6)
        told.append((EVENTS, _history(after, entry, began, writer, at_us, span)))
        if entry.outcome:
            told.append(_span(after, entry.what, span, at_us, at_us, failed=entry.outcome not in _GOOD))
    if after.is_over and (before is None or before.phase != after.phase):
        end_us = began.detected_us + round(after.history[-1].after_s * 1e6)
        begin_us = began.detected_us - round(began.detect_s * 1e6)
        span = span_of(after.incident_id)
        told.append(_span(after, "", span, begin_us, end_us, failed=after.phase != "resolved"))
    return told


def hold_row(command: m.RecordHold, writer: Writer, at_us: int) -> tuple[str, Row]:
    """A component is held, or released."""
    event = "release" if command.who is None else "hold"
    return EVENTS, _plain(command.component, writer, at_us, event=event, detail=command.reason, who=command.who)


def dropped_row(command: m.NoteDropped, writer: Writer, at_us: int) -> tuple[str, Row]:
    """A report was dropped."""
    detail = f"{command.limit} incidents are open, the limit"
    return EVENTS, _plain(command.component, writer, at_us, event="dropped", detail=detail, failure=command.failure)


def plan_row(command: m.RecordPlan, kept: bytes, who: str, writer: Writer, at_us: int) -> tuple[str, Row]:
    """What is tried for whom from now on; `kept` is all of it."""
    rule = command.rule
    shown = ", ".join(title(strategy) for strategy in rule.strategies)
    packed = as_text(kept)
    return PLANS, (rule.component, rule.failure, rule.severity, shown, who or None, writer.era, packed, at_us)


def lesson_row(command: m.RecordLesson, at_us: int) -> tuple[str, Row]:
    """What is known of a strategy."""
    counts = (command.tries, command.successes, command.seconds)
    return LESSONS, (command.component, command.failure, command.strategy, *counts, at_us)


def trace_of(incident: Incident) -> str:
    """The trace of an incident: that of the call that reported it, else one of its own."""
    return incident.trace_id or f"{_digest(incident.incident_id, 16):032x}"


def span_of(name: str) -> int:
    """The id of the span of an incident, or of a line of its history."""
    return _digest(name, 8)


_GOOD = ("succeeded", "acknowledged")


def _digest(text: str, size: int) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=size).digest(), "big") or 1


def _history(incident: Incident, entry: Entry, began: Began, writer: Writer, at_us: int, span: int) -> Row:
    strategy, _, action = entry.what.partition(": ")
    is_step = bool(entry.outcome) and entry.what != "verification"
    event = "step" if is_step else "verification" if entry.outcome else "phase"
    tried = title(incident.strategies[incident.position]) if _is_trying(incident) else None
    return (
        incident.incident_id,
        incident.component,
        incident.failure,
        incident.severity,
        event,
        entry.what if event == "phase" else None,
        strategy if is_step else tried,
        action or None,
        entry.outcome or None,
        entry.detail or None,
        incident.source or None,
        incident.node or None,
        incident.caused_by or None,
        incident.owner or None,
        began.detect_s * 1000,
        entry.after_s * 1000,
        writer.incarnation,
        writer.era,
        at_us,
        trace_of(incident),
        span,
    )


def _is_trying(incident: Incident) -> bool:
    return bool(incident.taken) and incident.position < len(incident.strategies)


def _plain(  # noqa: PLR0913 - one argument for each column that differs
    component: str,
    writer: Writer,
    at_us: int,
    *,
    event: str,
    detail: str,
    failure: str = "",
    who: str | None = None,
) -> Row:
    return (
        *("", component, failure, "low", event, None, None, None, None, detail or None, None, None, None, who),
        *(None, None, writer.incarnation, writer.era, at_us, None, None),
    )


def _span(incident: Incident, what: str, span: int, begin_us: int, end_us: int, *, failed: bool) -> tuple[str, Row]:
    attributes = {"incident": incident.incident_id, "component": incident.component, "failure": incident.failure}
    name = f"recovery of {incident.component}: {what}" if what else f"incident {incident.component}/{incident.failure}"
    parent = span_of(incident.incident_id) if what else None
    status = "error" if failed else "ok"
    return SPANS, (
        *(trace_of(incident), span, parent, name, "recovery", begin_us, end_us, status, json.dumps(attributes)),
    )
