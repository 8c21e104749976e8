"""What is written of health fits the tables, and says what was commanded."""

from __future__ import annotations

from typing import Any

from actors.event_log.schema import TABLES
from actors.health import messages as m
from actors.health.report import Check
from actors.health.rows import CHECKS, COMPONENTS, SNAPSHOTS, Writer, rows_of
from tests.unit.health.scene import Scene

WRITER = Writer(incarnation=3, snapshot_s=60.0)


def _named(command: m.Command) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for table, row in rows_of(command, WRITER, 77):
        columns = [column.name for column in TABLES[table].columns]
        found.append({"table": table, **dict(zip(columns, row, strict=True))})
    return found


def test_a_check() -> None:
    check = Check(kind="liveness", place="node:a", outcome="failed", duration_s=0.25, detail="no", counted=False)
    (row,) = _named(m.RecordCheck(component="db", check=check))
    assert (row["table"], row["component"], row["place"], row["outcome"]) == (CHECKS, "db", "node:a", "failed")
    assert (row["counted"], row["duration_ms"], row["incarnation"], row["at_time"]) == (0, 250.0, 3, 77)


def test_a_change() -> None:
    (row,) = _named(
        m.TellChange(
            component="web",
            before="healthy",
            after="unhealthy",
            flapping=True,
            caused_by=("db",),
            detail="refused",
            silent_s=2.0,
        )
    )
    assert (row["table"], row["event"], row["state"], row["before_state"]) == (
        COMPONENTS,
        "change",
        "unhealthy",
        "healthy",
    )
    assert (row["flapping"], row["caused_by"], row["silent_ms"], row["good_for_ms"]) == (1, '["db"]', 2000.0, 150_000.0)


def test_the_whole_has_a_row_for_each_component() -> None:
    scene = Scene()
    scene.register("db", failures=1, critical=True, weight=2.0)
    scene.register("web")
    scene.answer("db", "failed")
    scene.run(2.0)
    whole, *rest = _named(m.RecordSnapshot(health=scene.machine.report(scene.now)))
    assert (whole["table"], whole["event"], whole["score"]) == (SNAPSHOTS, "snapshot", 0.0)
    assert (whole["components"], whole["healthy"], whole["unhealthy"], whole["unknown"]) == (2, 1, 1, 0)
    assert [(row["component"], row["state"], row["critical"], row["weight"], row["detail"]) for row in rest] == [
        ("db", "unhealthy", 1, 2.0, "bad"),
        ("web", "healthy", 0, 1.0, None),
    ]


def test_blindness_and_its_end() -> None:
    (blind,) = _named(m.AlarmBlindness(cause="starved", gap_s=3.0, detail="late"))
    assert (blind["table"], blind["event"], blind["gap_ms"], blind["detail"]) == (SNAPSHOTS, "starved", 3000.0, "late")
    (seeing,) = _named(m.NoteSight(detail="all are reached"))
    assert (seeing["event"], seeing["gap_ms"]) == ("seeing", None)


def test_what_is_only_told_is_not_written() -> None:
    assert _named(m.TellScore(score=3.0)) == _named(m.AbandonProbe(number=1)) == []
