"""The tables of the health monitor. Pure."""

from __future__ import annotations

from actors.event_log.columns import DOUBLE, INTEGER, TEXT, TIME, table_of

HEALTH_CHECKS = table_of(
    "health_checks",
    component=TEXT,
    kind=TEXT,
    place=TEXT,
    outcome=TEXT,
    counted=INTEGER,
    duration_ms=DOUBLE,
    score=DOUBLE,
    detail=TEXT,
    incarnation=INTEGER,
    at_time=TIME,
)
"""Checks that ended: each bad one, and of those that pass one after another a few; `counted` 0: it told nothing."""

RECORDED_COMPONENT_HEALTH = table_of(
    "recorded_component_health",
    component=TEXT,
    event=TEXT,
    state=TEXT,
    before_state=TEXT,
    flapping=INTEGER,
    caused_by=TEXT,
    detail=TEXT,
    silent_ms=DOUBLE,
    score=DOUBLE,
    trend=TEXT,
    confidence=DOUBLE,
    weight=DOUBLE,
    critical=INTEGER,
    availability=TEXT,
    good_for_ms=DOUBLE,
    incarnation=INTEGER,
    at_time=TIME,
)
"""Each change of a component, and how it stands every while; of each the latest is in `component_health_summary`."""

SYSTEM_HEALTH_SNAPSHOTS = table_of(
    "system_health_snapshots",
    event=TEXT,
    score=DOUBLE,
    trend=TEXT,
    confidence=DOUBLE,
    slope_per_min=DOUBLE,
    components=INTEGER,
    healthy=INTEGER,
    unready=INTEGER,
    unhealthy=INTEGER,
    unknown=INTEGER,
    flapping=INTEGER,
    blind=TEXT,
    gap_ms=DOUBLE,
    detail=TEXT,
    incarnation=INTEGER,
    at_time=TIME,
)
"""The whole every while; and when the monitor did not see, and when it saw again."""

HEALTH_TABLES = (HEALTH_CHECKS, RECORDED_COMPONENT_HEALTH, SYSTEM_HEALTH_SNAPSHOTS)
