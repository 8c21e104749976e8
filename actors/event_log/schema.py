"""What emitters may write: each table's columns in order, with their DuckDB types. Pure.

A test compares this with the migrations. Rows come without `ingest_id`, which the writer assigns.
"""

from __future__ import annotations

from actors.event_log.chaos_schema import CHAOS_TABLES
from actors.event_log.columns import TEXT_SEPARATOR, Column, ColumnType, Handover, Table
from actors.event_log.columns import table_of as _table
from actors.event_log.healing_schema import HEALING_TABLES
from actors.event_log.health_schema import HEALTH_TABLES

__all__ = ["TABLES", "TEXT_SEPARATOR", "Column", "ColumnType", "Handover", "Table"]

_T = ColumnType.TEXT
_I = ColumnType.INTEGER
_B = ColumnType.BIGINT
_D = ColumnType.DOUBLE
_W = ColumnType.TIME
_TRACE = ColumnType.TRACE_ID
_SPAN = ColumnType.SPAN_ID


TASKS = _table(
    "tasks",
    task_id=_T,
    key=_T,
    name=_T,
    pool=_T,
    client=_T,
    state=_T,
    error_type=_T,
    error_text=_T,
    submitted_at=_W,
    ended_at=_W,
    attempts=_I,
    worker=_T,
    attempt_at=_W,
    run_us=_B,
    trace_id=_TRACE,
    span_id=_SPAN,
    parent_span_id=_SPAN,
    attempt_span_id=_SPAN,
)
"""One row per ended task, its last attempt included."""

EARLIER_ATTEMPTS = _table(
    "earlier_attempts",
    task_id=_T,
    attempt=_I,
    outcome=_T,
    error_type=_T,
    error_text=_T,
    worker=_T,
    started_at=_W,
    ended_at=_W,
    run_us=_B,
    trace_id=_TRACE,
    span_id=_SPAN,
    parent_span_id=_SPAN,
)
"""Attempts that were followed by another."""

CHILDREN = _table(
    "children",
    child=_T,
    incarnation=_I,
    concern=_T,
    role=_T,
    event=_T,
    node_id=_T,
    pid=_B,
    at_time=_W,
    leader=_I,
    detail=_T,
    exit_class=_T,
)
"""What happened to each child's incarnations, as one of `CHILD_EVENTS`; and of one that ended, how."""

CHILD_EVENTS: dict[str, str] = {
    "adopted": "a new leader took over a living incarnation",
    "ready": "an incarnation is constructed and answers",
    "ignored": "its constructor asked to be left out",
    "draining": "its node is about to go",
    "died": "an incarnation ended",
    "explained": "Ray said later why an incarnation ended",
    "fenced": "an incarnation is over, whether it still runs or not",
    "killed": "an incarnation's process was ended",
    "stopped": "an incarnation ended as it was asked to",
    "promoted": "a standby took over",
    "deleted": "its spec was removed from the tree",
    "given_up": "it is restarted no more",
    "escalated": "a whole group was given up, and nobody above it takes over",
    "checkpoint_skipped": "a checkpoint was unusable, and an earlier one was restored",
    "takeover_failed": "a standby could not take its state up",
    "checkpoint_failed": "its state could not be kept",
    "stop_failed": "its stop() raised",
    "prestart_unavailable": "this Ray keeps no idle processes ready: replacements wait for theirs",
}
"""What can happen to a child; a row of another event is refused."""

TOLD_BY_CHILDREN = frozenset(
    ("checkpoint_skipped", "takeover_failed", "checkpoint_failed", "stop_failed", "prestart_unavailable")
)
"""Those that go to the log from where they happen: the supervisor, and so who subscribes to it, is not told."""

EXIT_CLASSES = (
    "normal",
    "shutdown",
    "crash",
    "killed",
    "out_of_memory",
    "node_lost",
    "hung",
    "preempted",
    "task_limit",
)
"""How an incarnation can end; a row of another one is refused."""

RESTARTS = _table(
    "restarts",
    child=_T,
    from_incarnation=_I,
    to_incarnation=_I,
    exit_class=_T,
    reason=_T,
    group_name=_T,
    delay_ms=_D,
    at_time=_W,
    leader=_I,
)
"""Each restart a supervisor decided, and why."""

RECORDED_SPANS = _table(
    "recorded_spans",
    trace_id=_TRACE,
    span_id=_SPAN,
    parent_span_id=_SPAN,
    name=_T,
    kind=_T,
    started_at=_W,
    ended_at=_W,
    status=_T,
    attributes=_T,
)
"""Spans of anything that is not a task; `attributes` is a JSON object, as text."""

BREAKER_HISTORY = _table(
    "circuit_breaker_state_history",
    breaker=_T,
    event=_T,
    from_state=_T,
    to_state=_T,
    generation=_B,
    cause=_T,
    detail=_T,
    rule=_T,
    value=_D,
    threshold=_D,
    calls=_I,
    openings=_I,
    wait_ms=_D,
    who=_T,
    reason=_T,
    reporters=_T,
    samples=_T,
    owner=_T,
    incarnation=_I,
    at_time=_W,
    trace_id=_TRACE,
    span_id=_SPAN,
)
"""Each transition of a circuit breaker, and what else people want to find beside it."""

RECORDED_BREAKERS = _table(
    "recorded_breakers",
    breaker=_T,
    state=_T,
    generation=_B,
    openings=_I,
    wait_ms=_D,
    rules=_I,
    settings=_T,
    overridden_by=_T,
    override_reason=_T,
    opened_by=_T,
    owner=_T,
    incarnation=_I,
    era=_B,
    kept=_T,
    at_time=_W,
)
"""Each state of a circuit breaker as a successor needs it; the latest of each name is in `circuit_breakers`."""

DEGRADATION_STATE = _table(
    "degradation_state",
    level=_T,
    before_level=_T,
    generation=_B,
    cause=_T,
    detail=_T,
    who=_T,
    until_ms=_D,
    switched_off=_T,
    switched_on=_T,
    owner=_T,
    incarnation=_I,
    at_time=_W,
)
"""Each change of the level of service, and why."""

RECORDED_DEGRADATION = _table(
    "recorded_degradation",
    level=_T,
    number=_I,
    generation=_B,
    reason=_T,
    overridden_by=_T,
    override_reason=_T,
    until_ms=_D,
    disabled=_T,
    statistics=_T,
    owner=_T,
    incarnation=_I,
    era=_B,
    kept=_T,
    at_time=_W,
)
"""The degradation as a successor needs it, after each change and now and then; the latest counts."""

RECORDED_FEATURES = _table(
    "recorded_features",
    feature=_T,
    lowest=_T,
    needs=_T,
    limits=_T,
    rollout=_D,
    tenants=_T,
    withdrawn=_I,
    generation=_B,
    owner=_T,
    incarnation=_I,
    at_time=_W,
)
"""Each declaration of a feature; the latest of each name is in `feature_flags` and `feature_dependencies`."""

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        TASKS,
        EARLIER_ATTEMPTS,
        CHILDREN,
        RESTARTS,
        RECORDED_SPANS,
        BREAKER_HISTORY,
        RECORDED_BREAKERS,
        *HEALTH_TABLES,
        DEGRADATION_STATE,
        RECORDED_DEGRADATION,
        RECORDED_FEATURES,
        *HEALING_TABLES,
        *CHAOS_TABLES,
    )
}
"""Every table that emitters may fill, by name."""
