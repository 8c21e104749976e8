"""The tables of healing and of telling people. Pure."""

from __future__ import annotations

from actors.event_log.columns import BIGINT, DOUBLE, INTEGER, SPAN_ID, TEXT, TIME, TRACE_ID, table_of

RECOVERY_EVENTS = table_of(
    "recovery_events",
    incident_id=TEXT,
    component=TEXT,
    failure=TEXT,
    severity=TEXT,
    event=TEXT,
    phase=TEXT,
    strategy=TEXT,
    action=TEXT,
    outcome=TEXT,
    detail=TEXT,
    source=TEXT,
    node_id=TEXT,
    caused_by=TEXT,
    who=TEXT,
    detect_ms=DOUBLE,
    after_ms=DOUBLE,
    incarnation=INTEGER,
    era=BIGINT,
    at_time=TIME,
    trace_id=TRACE_ID,
    span_id=SPAN_ID,
)
"""Each phase, step and verification of each incident; holds and releases of components, too."""

RECORDED_INCIDENTS = table_of(
    "recorded_incidents",
    incident_id=TEXT,
    version=BIGINT,
    component=TEXT,
    failure=TEXT,
    severity=TEXT,
    phase=TEXT,
    is_over=INTEGER,
    begun=TEXT,
    incarnation=INTEGER,
    era=BIGINT,
    detect_ms=DOUBLE,
    detected_at=TIME,
    kept=TEXT,
    at_time=TIME,
)
"""Each state of an incident as a successor needs it, written before its step is taken; the latest counts."""

RECORDED_PLANS = table_of(
    "recorded_plans",
    component=TEXT,
    failure=TEXT,
    severity=TEXT,
    strategies=TEXT,
    who=TEXT,
    era=BIGINT,
    kept=TEXT,
    at_time=TIME,
)
"""What is tried for whom, as users said at run time; the latest of component, failure and severity counts."""

RECOVERY_LESSONS = table_of(
    "recovery_lessons",
    component=TEXT,
    failure=TEXT,
    strategy=TEXT,
    tries=BIGINT,
    successes=BIGINT,
    seconds=DOUBLE,
    at_time=TIME,
)
"""What worked: totals after each try, or 0 once they were reset; the latest counts."""

NOTIFICATIONS = table_of(
    "notifications",
    message_id=TEXT,
    channel=TEXT,
    result=TEXT,
    attempts=INTEGER,
    alerts=INTEGER,
    component=TEXT,
    severity=TEXT,
    title=TEXT,
    incidents=TEXT,
    detail=TEXT,
    at_time=TIME,
)
"""What became of each message to people."""

RECORDED_MESSAGES = table_of(
    "recorded_messages",
    message_id=TEXT,
    channel=TEXT,
    state=TEXT,
    attempts=INTEGER,
    alerts=TEXT,
    at_time=TIME,
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
