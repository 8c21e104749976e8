"""What the coordinator writes down is what its successor reads, in a real log."""

from __future__ import annotations

import base64
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from actors.event_log.query import run_query
from actors.event_log.schema import TABLES
from actors.event_log.store import BatchState, EventStore
from actors.healer import messages as m
from actors.healer import rows
from actors.healer.incident import Incident
from actors.healer.settings import PlanRule
from actors.recovery.strategies import Isolate, Restart
from actors.runtime.batches import Batch
from tests.unit.healer.scene import Scene

WRITER = rows.Writer(incarnation=1, era=7)
BEGAN = rows.Began(detected_us=1_700_000_000_000_000, detect_s=0.5)


@pytest.fixture
def store(tmp_path: Path):
    store = EventStore(tmp_path / "log.duckdb")
    yield store
    store.close()


class Journal:
    """Writes what a scene records, as the shell does."""

    def __init__(self, store: EventStore) -> None:
        self.store = store
        self.last: dict[str, Incident] = {}
        self.seq = 0

    def write(self, *told: tuple[str, rows.Row]) -> None:
        for table, row in told:
            assert len(row) == TABLES[table].width, table
            self.seq += 1
            outcome = self.store.append([Batch("e", self.seq, {table: [[value] for value in row]})])[0]
            assert outcome.state is BatchState.COMMITTED, outcome

    def take(self, commands: list[m.Command]) -> None:
        for command in commands:
            if isinstance(command, m.RecordIncident):
                after = command.incident
                before = self.last.get(after.incident_id)
                self.write(*rows.history_rows(before, after, BEGAN, WRITER))
                kept = pickle.dumps(after)
                self.write(rows.incident_row(after, kept, BEGAN, WRITER, BEGAN.detected_us))
                self.last[after.incident_id] = after

    def read(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        reader = self.store.reader()
        try:
            return run_query(reader, sql, parameters, path=self.store.path)
        finally:
            reader.close()


def test_each_phase_step_and_verification_is_a_row_and_a_part_of_one_trace(store: EventStore):
    journal, scene = Journal(store), Scene(Isolate(), Restart())
    scene.outcome = lambda run: "failed" if run.step.action == "isolate" else "succeeded"
    journal.take(scene.report("db", "crash", severity="high", detail="no answer", source="health"))
    told = journal.read("SELECT event, phase, strategy, action, outcome FROM recovery_events ORDER BY ingest_id")
    assert [tuple(row.values()) for row in told] == [
        ("phase", "detected", None, None, None),
        ("phase", "diagnosed", None, None, None),
        ("phase", "recovering", None, None, None),
        ("step", None, "isolate", "isolate", "failed"),
        ("step", None, "restart", "restart", "succeeded"),
        ("phase", "verifying", "restart", None, None),
        ("phase", "resolved", "restart", None, None),
    ]
    assert journal.read("SELECT count(DISTINCT trace_id) AS n FROM recovery_events") == [{"n": 1}]
    spans = journal.read("SELECT name, status, parent_span_id IS NULL AS is_root FROM recorded_spans ORDER BY name")
    assert [tuple(row.values()) for row in spans] == [
        ("incident db/crash", "ok", True),
        ("recovery of db: isolate: isolate", "error", False),
        ("recovery of db: restart: restart", "ok", False),
    ]
    (rate,) = journal.read("SELECT strategy, incidents, success_rate FROM recovery_success_rate")
    assert rate == {"strategy": "restart", "incidents": 1, "success_rate": 1.0}


def test_a_successor_finds_what_was_open_as_it_was_last_recorded(store: EventStore):
    journal, scene = Journal(store), Scene(Restart())
    journal.take(scene.report("well"))
    scene.outcome = lambda _: None
    journal.take(scene.report("db"))
    (row,) = journal.read(rows.OPEN_INCIDENTS, WRITER.era, BEGAN.detected_us)
    found = pickle.loads(base64.b64decode(row["kept"]))
    assert found == journal.last["1.2"]
    assert found.begun.action == "restart"
    assert (row["detect_ms"], row["detected_us"]) == (500.0, BEGAN.detected_us)
    assert journal.read(rows.OPEN_INCIDENTS, WRITER.era + 1, BEGAN.detected_us) == []


def test_a_successor_finds_what_people_have_taken_over_for_a_while_and_who_has(store: EventStore):
    journal, scene = Journal(store), Scene(plans=())
    journal.take(scene.report("db"))
    journal.take(scene.tell(m.Acknowledged(incident_id="1.1", who="ann")))
    (row,) = journal.read(rows.OPEN_INCIDENTS, WRITER.era, BEGAN.detected_us)
    found = pickle.loads(base64.b64decode(row["kept"]))
    assert (found.phase, found.owner) == ("escalated", "ann")
    assert journal.read(rows.OPEN_INCIDENTS, WRITER.era, BEGAN.detected_us + 1) == []


def test_holds_plans_and_lessons_are_found_as_they_are_now(store: EventStore):
    journal = Journal(store)
    for component, who in (("a", "ann"), ("b", "ben"), ("a", None)):
        journal.write(rows.hold_row(m.RecordHold(component=component, who=who, reason="why"), WRITER, 1))
    for kept in (b"old", b"new"):
        rule = PlanRule(component="db", strategies=(Restart(), Isolate()))
        journal.write(rows.plan_row(m.RecordPlan(rule=rule), kept, "ann", WRITER, 1))
    for component, tries in (("db", 1), ("web", 1), ("db", 2), ("web", 0)):
        counts: dict[str, Any] = {"tries": tries, "successes": 1, "seconds": 2.0}
        lesson = m.RecordLesson(component=component, failure="crash", strategy="restart", **counts)
        journal.write(rows.lesson_row(lesson, 1))
    journal.write(rows.dropped_row(m.NoteDropped(component="x", failure="y", limit=3), WRITER, 1))
    assert journal.read(rows.HOLDS, WRITER.era) == [{"component": "b", "who": "ben", "detail": "why"}]
    assert [base64.b64decode(row["kept"]) for row in journal.read(rows.LATEST_PLANS, WRITER.era)] == [b"new"]
    (lesson,) = journal.read(rows.LATEST_LESSONS)
    assert (lesson["component"], lesson["tries"]) == ("db", 2)


def test_a_history_that_was_cut_still_tells_what_is_new():
    scene = Scene(Restart())
    scene.outcome = lambda _: None
    scene.report()
    before = scene.only()
    after = replace(before)
    assert rows.news(None, before) == before.history
    assert rows.news(before, after) == ()
    cut = before.noted(before.history[0])
    assert rows.news(before, cut) == (before.history[0],)


def test_a_call_s_trace_goes_on():
    scene = Scene(Restart())
    scene.report(trace_id="ab" * 16)
    assert rows.trace_of(scene.machine.incidents()[0]) == "ab" * 16
