"""The tables of chaos experiments. Pure."""

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

CHAOS_TABLES = (RECORDED_EXPERIMENTS, EXPERIMENT_EVENTS)
