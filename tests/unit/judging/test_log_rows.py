"""What a real log holds of a run is read as facts that can be cited."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.event_log.schema import TABLES
from actors.event_log.store import BatchState, EventStore
from actors.runtime.batches import Batch
from experiments.checker import Ended
from experiments.judging import log_rows
from experiments.judging.invariants import Intensity, illegal_steps, too_many_restarts

BEGAN_US = 1_795_906_153_000_000
S = 1_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EventStore]:
    opened = EventStore(str(tmp_path / "log.duckdb"))
    yield opened
    opened.close()


def put(store: EventStore, seq: int, table: str, **fields: Any) -> None:
    values: dict[str, Any] = {column.name: None for column in TABLES[table].columns} | fields
    (answer,) = store.append([Batch("e", seq, {table: [[value] for value in values.values()]})])
    assert answer.state is BatchState.COMMITTED, answer


def read(store: EventStore, sql: str) -> list[dict[str, Any]]:
    reader = store.reader()
    try:
        done = reader.execute(sql, [BEGAN_US, BEGAN_US + 60 * S])
        names = [column[0] for column in done.description or ()]
        return [dict(zip(names, row, strict=True)) for row in done.fetchall()]
    finally:
        reader.close()


def test_children_and_restarts(store: EventStore) -> None:
    put(store, 1, "children", child="worker/w0", incarnation=1, event="died", at_time=BEGAN_US - 1)
    put(store, 2, "children", child="worker/w0", incarnation=2, event="died", at_time=BEGAN_US + S, detail="killed")
    for seq in (3, 4):
        lives = {"from_incarnation": seq, "to_incarnation": seq + 1, "exit_class": "killed", "delay_ms": 0.0}
        put(store, seq, "restarts", child="worker/w0", group_name="default", at_time=BEGAN_US + seq * S, **lives)
    (died,) = log_rows.children(read(store, log_rows.CHILDREN), began_us=BEGAN_US)
    assert (died.subject, died.event, died.at_s, died.incarnation) == ("worker/w0", "died", 1.0, 2)
    assert died.event_id.startswith("children/")
    found = log_rows.restarts(read(store, log_rows.RESTARTS), began_us=BEGAN_US)
    assert [restart.at_s for restart in found] == [3.0, 4.0]
    assert too_many_restarts(found, {"default": Intensity(restarts=1, period_s=5)}) != ()


def test_breakers(store: EventStore) -> None:
    table = "circuit_breaker_state_history"
    put(store, 1, table, breaker="b", event="configured", at_time=BEGAN_US)
    for seq, (before, after) in enumerate(
        (("closed", "open"), ("open", "half_open"), ("half_open", "closed")), start=2
    ):
        fields = {"from_state": before, "to_state": after, "generation": seq, "at_time": BEGAN_US + seq * S}
        put(store, seq, table, breaker="b", event="transition", **fields)
    rows = read(store, log_rows.BREAKERS)
    assert [fact.event for fact in log_rows.breakers(rows, began_us=BEGAN_US)] == ["opened", "probing", "closed"]
    assert illegal_steps(log_rows.breaker_steps(rows)) == ()


def test_tasks(store: EventStore) -> None:
    for seq, (key, state, error) in enumerate((("k", "done", None), (None, "lost", "x.WorkerLostError")), start=1):
        fields = {"key": key, "state": state, "error_type": error, "submitted_at": BEGAN_US, "ended_at": BEGAN_US}
        put(store, seq, "tasks", task_id=f"t{seq}", name="f", attempts=1, **fields)
    rows = read(store, log_rows.TASKS)
    assert list(log_rows.endings(rows)) == [Ended("k", ok=True), Ended("t2", ok=False)]
    ((name, ids),) = log_rows.failures(rows).items()
    assert name == "WorkerLostError"
    assert ids[0].startswith("tasks/")
