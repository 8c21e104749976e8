"""The tables of healing and of telling people. Pure."""

from __future__ import annotations

from actors.event_log.columns import ColumnType
from actors.event_log.columns import table_of as _table

_T = ColumnType.TEXT
_I = ColumnType.INTEGER
_B = ColumnType.BIGINT
_D = ColumnType.DOUBLE
_W = ColumnType.TIME
_TRACE = ColumnType.TRACE_ID
_SPAN = ColumnType.SPAN_ID

RECOVERY_EVENTS = _table(
    "recovery_events",
    incident_id=_T,
    component=_T,
    failure=_T,
    severity=_T,
    event=_T,
    phase=_T,
    strategy=_T,
    action=_T,
    outcome=_T,
    detail=_T,
    source=_T,
    node_id=_T,
    caused_by=_T,
    who=_T,
    detect_ms=_D,
    after_ms=_D,
    incarnation=_I,
    era=_B,
    at_time=_W,
    trace_id=_TRACE,
    span_id=_SPAN,
)
"""Each phase, step and verification of each incident; holds and releases of components, too."""

RECORDED_INCIDENTS = _table(
    "recorded_incidents",
    incident_id=_T,
    version=_B,
    component=_T,
    failure=_T,
    severity=_T,
    phase=_T,
    is_over=_I,
    begun=_T,
    incarnation=_I,
    era=_B,
    detect_ms=_D,
    detected_at=_W,
    kept=_T,
    at_time=_W,
)
"""Each state of an incident as a successor needs it, written before its step is taken; the latest counts."""

RECORDED_PLANS = _table(
    "recorded_plans",
    component=_T,
    failure=_T,
    severity=_T,
    strategies=_T,
    who=_T,
    era=_B,
    kept=_T,
    at_time=_W,
)
"""What is tried for whom, as users said at run time; the latest of component, failure and severity counts."""

RECOVERY_LESSONS = _table(
    "recovery_lessons",
    component=_T,
    failure=_T,
    strategy=_T,
    tries=_B,
    successes=_B,
    seconds=_D,
    at_time=_W,
)
"""What worked: totals after each try, or 0 once they were reset; the latest counts."""

NOTIFICATIONS = _table(
    "notifications",
    message_id=_T,
    channel=_T,
    result=_T,
    attempts=_I,
    alerts=_I,
    component=_T,
    severity=_T,
    title=_T,
    incidents=_T,
    detail=_T,
    at_time=_W,
)
"""What became of each message to people."""

RECORDED_MESSAGES = _table(
    "recorded_messages",
    message_id=_T,
    channel=_T,
    state=_T,
    attempts=_I,
    alerts=_T,
    at_time=_W,
)
"""The notifier's outbox: each message before it is sent, and once it is over; the latest counts."""

HEALING_TABLES = (
    RECOVERY_EVENTS,
    RECORDED_INCIDENTS,
    RECORDED_PLANS,
    RECOVERY_LESSONS,
    NOTIFICATIONS,
    RECORDED_MESSAGES,
)
