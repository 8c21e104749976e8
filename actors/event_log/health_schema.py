"""The tables of the health monitor. Pure."""

from __future__ import annotations

from actors.event_log.columns import ColumnType
from actors.event_log.columns import table_of as _table

_T = ColumnType.TEXT
_I = ColumnType.INTEGER
_D = ColumnType.DOUBLE
_W = ColumnType.TIME

HEALTH_CHECKS = _table(
    "health_checks",
    component=_T,
    kind=_T,
    place=_T,
    outcome=_T,
    counted=_I,
    duration_ms=_D,
    score=_D,
    detail=_T,
    incarnation=_I,
    at_time=_W,
)
"""Checks that ended: each bad one, and of those that pass one after another a few; `counted` 0: it told nothing."""

RECORDED_COMPONENT_HEALTH = _table(
    "recorded_component_health",
    component=_T,
    event=_T,
    state=_T,
    before_state=_T,
    flapping=_I,
    caused_by=_T,
    detail=_T,
    silent_ms=_D,
    score=_D,
    trend=_T,
    confidence=_D,
    weight=_D,
    critical=_I,
    availability=_T,
    good_for_ms=_D,
    incarnation=_I,
    at_time=_W,
)
"""Each change of a component, and how it stands every while; of each the latest is in `component_health_summary`."""

SYSTEM_HEALTH_SNAPSHOTS = _table(
    "system_health_snapshots",
    event=_T,
    score=_D,
    trend=_T,
    confidence=_D,
    slope_per_min=_D,
    components=_I,
    healthy=_I,
    unready=_I,
    unhealthy=_I,
    unknown=_I,
    flapping=_I,
    blind=_T,
    gap_ms=_D,
    detail=_T,
    incarnation=_I,
    at_time=_W,
)
"""The whole every while; and when the monitor did not see, and when it saw again."""

HEALTH_TABLES = (HEALTH_CHECKS, RECORDED_COMPONENT_HEALTH, SYSTEM_HEALTH_SNAPSHOTS)
