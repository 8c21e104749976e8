"""What the log says of health: the latest of each component, failures, availability, and how the whole stands."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from actors.event_log.health_schema import HEALTH_TABLES
from actors.event_log.query import run_query
from actors.event_log.store import BatchState, EventStore
from actors.health import messages as m
from actors.health.answers import OUTCOMES
from actors.health.report import Check
from actors.health.rows import Writer, rows_of
from tests.unit.health.scene import Scene

HOUR_S = 3600.0


@pytest.fixture
def record(store: EventStore, batch_of: Callable[..., Any]) -> Callable[..., None]:
    """Write what commands put on record, so many seconds ago."""
    numbers = iter(range(1, 1000))

    def write(command: m.Command, ago_s: float, *, snapshot_s: float = 60.0) -> None:
        writer = Writer(incarnation=1, snapshot_s=snapshot_s)
        for table, row in rows_of(command, writer, time.time_ns() // 1000 - int(ago_s * 1e6)):
            outcome = store.append([batch_of(next(numbers), row, table=table)])[0]
            assert outcome.state is BatchState.COMMITTED, outcome.error

    return write


def change(component: str, before: Any, after: Any, *, flapping: bool = False) -> m.TellChange:
    return m.TellChange(
        component=component, before=before, after=after, flapping=flapping, caused_by=(), detail="said so"
    )


def test_all_three_tables_are_there() -> None:
    names = [table.name for table in HEALTH_TABLES]
    assert names == ["health_checks", "recorded_component_health", "system_health_snapshots"]


def test_failures_of_the_last_day_newest_first(record: Any, read: Any) -> None:
    for ago_s, outcome in zip((90_000, 500, 400, 300, 200), ("failed", *OUTCOMES[:4]), strict=True):
        record(m.RecordCheck(component="db", check=Check(kind="liveness", place="", outcome=outcome)), ago_s)
    assert read("SELECT outcome FROM recent_health_failures") == [("nonsense",), ("timed_out",), ("failed",)]


def test_the_latest_of_each_component_stands_in_the_summary(record: Any, read: Any) -> None:
    record(change("db", "unknown", "healthy"), 300)
    record(change("db", "healthy", "unhealthy"), 200)
    record(change("web", "unknown", "healthy"), 100)
    rows = read("SELECT component, state, changes, detail FROM component_health_summary ORDER BY component")
    assert rows == [("db", "unhealthy", 2, "said so"), ("web", "healthy", 1, "said so")]


def test_availability_counts_what_was_known(record: Any, read: Any) -> None:
    half = 12 * HOUR_S
    record(change("db", "unknown", "healthy"), 20 * HOUR_S, snapshot_s=half)
    record(change("db", "healthy", "unhealthy"), 10 * HOUR_S, snapshot_s=half)
    record(change("db", "unhealthy", "unknown"), 5 * HOUR_S, snapshot_s=half)
    record(change("old", "unknown", "healthy"), 48 * HOUR_S)
    ((component, availability, up_s, down_s, unknown_s),) = read("SELECT * FROM component_availability_24h")
    assert component == "db"
    assert availability == pytest.approx(10 / 15, abs=0.01)
    assert (up_s, down_s) == (pytest.approx(10 * HOUR_S), pytest.approx(5 * HOUR_S))
    assert unknown_s == pytest.approx(5 * HOUR_S, rel=0.01)


def test_while_no_monitor_looked_nothing_was_known(record: Any, read: Any) -> None:
    record(change("db", "unknown", "healthy"), 10 * HOUR_S, snapshot_s=60.0)
    record(change("db", "healthy", "unhealthy"), 100, snapshot_s=60.0)
    ((availability, up_s),) = read("SELECT availability, up_s FROM component_availability_24h")
    assert up_s == pytest.approx(150.0), "a row holds for two snapshots and a half"
    assert availability == pytest.approx(0.6, abs=0.02)


def test_how_the_system_stands(record: Any, read: Any) -> None:
    assert read("SELECT * FROM current_system_status") == []
    scene = Scene()
    scene.register("db", failures=1)
    scene.register("web", failures=1)
    scene.answer("db", "failed")
    scene.run(2.0)
    record(m.RecordSnapshot(health=scene.machine.report(scene.now)), 50)
    record(change("gone", "unknown", "unhealthy"), 5000)
    record(change("web", "healthy", "unhealthy", flapping=True), 10)
    record(m.AlarmBlindness(cause="cut_off", gap_s=0.0, detail="2 of 3 places cannot be reached"), 5)
    status = "SELECT score, components, healthy, sick, flapping, blind FROM current_system_status"
    assert read(status) == [(50.0, 2, 0, ["db", "web"], ["web"], "2 of 3 places cannot be reached")]
    record(m.NoteSight(detail="0 of 3 places cannot be reached"), 1)
    assert read("SELECT blind FROM current_system_status") == [(None,)]


def test_reading_them_is_one_statement_for_everybody(store: EventStore) -> None:
    reader = store.reader()
    for view in ("recent_health_failures", "current_system_status", "component_availability_24h"):
        assert run_query(reader, f"from {view}", None, path=store.path) == []
    reader.close()
