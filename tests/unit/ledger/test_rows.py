"""A run's rows are taken by the log as it is, and read there as one trace with each fault beside its recovery."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from actors.event_log.schema import TABLES
from actors.event_log.store import BatchState, EventStore
from actors.runtime.batches import Batch
from experiments.ledger.entry import STEPS, Entry
from experiments.ledger.rows import Row, began, ended, ended_without_plan, lost, of_entry, of_faults, span_of, trace_of
from experiments.model.experiment import Expected
from tests.unit.report.scene import report

START_US = 1_795_906_153_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EventStore]:
    opened = EventStore(tmp_path / "log.duckdb")
    yield opened
    opened.close()


class Log:
    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._seq = 0

    def put(self, *rows: tuple[str, Row]) -> None:
        for table, row in rows:
            assert len(row) == TABLES[table].width
            self._seq += 1
            (answer,) = self._store.append([Batch("e", self._seq, {table: [[value] for value in row]})])
            assert answer.state is BatchState.COMMITTED, (table, row, answer)

    def read(self, sql: str) -> list[tuple[Any, ...]]:
        reader = self._store.reader()
        try:
            return reader.execute(sql).fetchall()
        finally:
            reader.close()


def entry(step: Any, fault: str = "0.1.worker/w1", **data: Any) -> Entry:
    return Entry(run="r1", step=step, fault=fault, data=data, at_us=START_US + 1)


def test_a_run_is_read_as_it_stands(store: EventStore) -> None:
    log, whole = Log(store), report()
    log.put(began("r1", whole.plan, runner="h/1", at_us=START_US))
    assert log.read("SELECT run, state, verdict, ended_at FROM chaos_experiments") == [("r1", "running", None, None)]
    log.put(of_entry(entry("injected", detail="SIGKILL"), whole.plan))
    log.put(of_entry(entry("proven", evidence="gone"), whole.plan))
    log.put(*of_faults("r1", whole.seen, began_us=START_US))
    log.put(
        *ended("r1", whole.plan, whole.verdict, whole.numbers(), runner="h/1", began_us=START_US, at_us=START_US + 9)
    )
    found = log.read(
        "SELECT experiment, state, verdict, score, seed, injected, proven, recovered, lost, safe_mode, trace_id "
        "FROM chaos_experiments"
    )
    score = whole.verdict.score
    trace = f"{trace_of('r1'):032x}"
    assert found == [(whole.plan.experiment, "ended", "deviated", score, 1, 1, 1, 1, 0, False, trace)]
    faults = log.read("SELECT fault, target, recovered_by, loss, recovered_at IS NOT NULL FROM chaos_faults")
    assert faults == [("crash", "worker/w1", "children/43", None, True)]


def test_a_run_that_a_successor_ends_is_read_as_ended(store: EventStore) -> None:
    log, whole = Log(store), report()
    log.put(began("r1", whole.plan, runner="h/1", at_us=START_US))
    log.put(of_entry(entry("injected"), whole.plan), lost("r1", "0.1.worker/w1", "nobody looked", at_us=START_US + 5))
    columns = "run, experiment, seed, plan, targets, safe_mode, epoch_us(started_at)"
    (found,) = log.read(f"SELECT {columns} FROM chaos_experiments WHERE state = 'running'")
    row: dict[str, Any] = dict(zip("run experiment seed plan targets safe_mode began_us".split(), found, strict=True))
    log.put(*ended_without_plan(row, "aborted", ("its runner was gone",), at_us=START_US + 9))
    read = log.read("SELECT state, verdict, reasons, seed, plan, targets, runner, lost FROM chaos_experiments")
    kept = (row["seed"], row["plan"], row["targets"])
    assert read == [("ended", "aborted", '["its runner was gone"]', *kept, "successor", 1)]
    assert log.read("SELECT fault, target, loss FROM chaos_faults") == [("crash", "worker/w1", "nobody looked")]
    assert log.read("SELECT count(*) FROM recorded_spans") == [(1,)]


def test_one_trace_with_a_span_for_each_fault(store: EventStore) -> None:
    log, whole = Log(store), report()
    log.put(*of_faults("r1", whole.seen, began_us=START_US))
    log.put(*ended("r1", whole.plan, whole.verdict, {}, runner="", began_us=START_US, at_us=START_US + 9))
    spans = log.read("SELECT DISTINCT trace_id FROM recorded_spans")
    assert spans == [(f"{trace_of('r1'):032x}",)]
    children = log.read("SELECT name, parent_span_id FROM recorded_spans WHERE kind = 'fault'")
    assert children == [("crash worker/w1", f"{span_of('r1'):016x}")]


def test_every_step_and_every_verdict_is_taken(store: EventStore) -> None:
    log, whole = Log(store), report()
    for step in STEPS:
        log.put(of_entry(entry(step), whole.plan), of_entry(entry(step, fault="")))
    for kind in get_args(Expected):
        verdict = replace(whole.verdict, kind=kind)
        log.put(*ended(kind, whole.plan, verdict, {}, runner="", began_us=START_US, at_us=START_US))
    lost = replace(whole.seen, faults=(replace(whole.seen.faults[0], loss="given up", recovered_at_s=None),))
    log.put(*of_faults("r1", lost, began_us=START_US))
    assert log.read("SELECT loss FROM chaos_faults WHERE run = 'r1' AND loss IS NOT NULL") == [("given up",)]


def test_a_step_tells_who_did_what() -> None:
    told = of_entry(entry("undone", by="watchdog", did="resumed"), report().plan)
    columns = [column.name for column in TABLES[told[0]].columns]
    row = dict(zip(columns, told[1], strict=True))
    assert (row["fault"], row["target"], row["done_by"], row["detail"]) == ("crash", "worker/w1", "watchdog", "resumed")
    whole = dict(zip(columns, of_entry(entry("ended", fault="", why="halt"))[1], strict=True))
    assert (whole["fault_id"], whole["target"], whole["detail"]) == (None, None, "halt")
