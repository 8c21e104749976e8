"""What emitters may write: each table's columns in order, with their DuckDB types. Pure.

A test compares this with the migrations. Rows come without `ingest_id`, which the writer assigns.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import assert_never

TEXT_SEPARATOR = "\x1f"
"""ASCII's unit separator."""


class ColumnType(Enum):
    """What a column holds, and how an emitted value becomes it."""

    TEXT = auto()
    INTEGER = auto()
    BIGINT = auto()
    DOUBLE = auto()
    TIME = auto()
    """A TIMESTAMPTZ, emitted as wall-clock microseconds since the Unix epoch."""
    TRACE_ID = auto()
    """32 hexadecimal digits, emitted as those or as an int."""
    SPAN_ID = auto()
    """16 hexadecimal digits, emitted as those or as an int."""

    @property
    def emitted_type(self) -> str:
        """The DuckDB type that an emitted value is read as."""
        match self:
            case ColumnType.TEXT | ColumnType.TRACE_ID | ColumnType.SPAN_ID:
                return "VARCHAR"
            case ColumnType.INTEGER:
                return "INTEGER"
            case ColumnType.BIGINT | ColumnType.TIME:
                return "BIGINT"
            case ColumnType.DOUBLE:
                return "DOUBLE"
            case _:
                assert_never(self)

    @property
    def database_type(self) -> str:
        """The column's type in the database."""
        return "TIMESTAMP WITH TIME ZONE" if self is ColumnType.TIME else self.emitted_type

    @property
    def hex_digits(self) -> int:
        """How many hexadecimal digits an emitted int becomes; 0 when it stays what it is."""
        return {ColumnType.TRACE_ID: 32, ColumnType.SPAN_ID: 16}.get(self, 0)


class Handover(Enum):
    """How the values of a column are given to DuckDB."""

    ONE_VALUE = auto()
    """The same value for all rows."""
    NUMBERS = auto()
    """A text of numbers (or ids), separated by commas."""
    TEXTS = auto()
    """One text of texts, separated by `TEXT_SEPARATOR`, which none of them holds."""
    LIST = auto()
    """A list of values."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column that emitters fill."""

    name: str
    type: ColumnType

    def placeholder(self, handover: Handover) -> str:
        """The SQL that turns one parameter, handed over in that way, into this column's values."""
        emitted = self.type.emitted_type
        match handover:
            case Handover.ONE_VALUE:
                value = f"?::{emitted}"
            case Handover.NUMBERS:
                value = f"unnest(string_split(?::VARCHAR, ',')::{emitted}[])"
            case Handover.TEXTS:
                value = f"unnest(string_split(?::VARCHAR, chr({ord(TEXT_SEPARATOR)})))"
            case Handover.LIST:
                value = f"unnest(?::{emitted}[])"
            case _:
                assert_never(handover)
        return f"make_timestamptz({value})" if self.type is ColumnType.TIME else value


@dataclass(frozen=True, slots=True)
class Table:
    """A table that emitters fill: its name and columns, in the order of an emitted row."""

    name: str
    columns: tuple[Column, ...]

    @property
    def width(self) -> int:
        """How many values an emitted row has."""
        return len(self.columns)


_T = ColumnType.TEXT
_I = ColumnType.INTEGER
_B = ColumnType.BIGINT
_D = ColumnType.DOUBLE
_W = ColumnType.TIME
_TRACE = ColumnType.TRACE_ID
_SPAN = ColumnType.SPAN_ID


def _table(table: str, /, **columns: ColumnType) -> Table:
    return Table(table, tuple(Column(column, type_) for column, type_ in columns.items()))


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

RECORDED_EXPERIMENTS = _table(
    "recorded_experiments",
    run=_T,
    experiment=_T,
    state=_T,
    verdict=_T,
    score=_D,
    reasons=_T,
    seed=_B,
    plan=_T,
    targets=_T,
    safe_mode=_I,
    numbers=_T,
    runner=_T,
    at_time=_W,
    trace_id=_TRACE,
    span_id=_SPAN,
)
"""A chaos experiment's run as it begins and as it ends; the latest of each is in `chaos_experiments`."""

EXPERIMENT_EVENTS = _table(
    "chaos_experiment_events",
    run=_T,
    event=_T,
    fault_id=_T,
    fault=_T,
    target=_T,
    done_by=_T,
    detail=_T,
    cites=_T,
    at_time=_W,
    trace_id=_TRACE,
    span_id=_SPAN,
)
"""Each step of a run, and of each of its faults; `chaos_faults` puts a fault beside its recovery."""

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
        RECORDED_EXPERIMENTS,
        EXPERIMENT_EVENTS,
    )
}
"""Every table that emitters may fill, by name."""
