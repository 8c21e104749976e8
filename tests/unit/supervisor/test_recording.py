"""What a leader writes into the log: whole rows, of which the log takes each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actors.event_log.schema import TABLES
from actors.event_log.store import EventStore
from actors.runtime.batches import Batch
from actors.runtime.emitter import Emitter
from actors.runtime.process import ProcessIdentity
from supervisor import messages as m
from supervisor.recording import Recorder
from supervisor.tree import Location


class Direct:
    """A way into a log in this process."""

    def __init__(self, store: EventStore) -> None:
        self._store = store

    def send(self, batch: Batch, done: Callable[[BaseException | None], None]) -> None:
        self._store.append([batch])
        done(None)


def written(tmp_path: Any, table: str, *commands: Any) -> list[dict[str, Any]]:
    """The rows that are in a log after that, without their number and their time."""
    store = EventStore(tmp_path / "log.duckdb")
    emitter = Emitter(Direct(store))
    recorder = Recorder(emitter, 7)
    for command in commands:
        {m.RecordChild: recorder.child, m.RecordRestart: recorder.restart, m.Escalate: recorder.escalation}[
            type(command)
        ](command)
    assert emitter.flush(10.0)
    emitter.close(10.0)
    names = [column.name for column in TABLES[table].columns if column.name != "at_time"]
    reader = store.reader()
    rows = reader.execute(f"SELECT {', '.join(names)} FROM {table} ORDER BY ingest_id").fetchall()
    reader.close()
    store.close()
    return [dict(zip(names, row, strict=True)) for row in rows]


def test_a_group_that_nobody_takes_over_is_on_record_with_its_reason(tmp_path: Any):
    (row,) = written(tmp_path, "children", m.Escalate(group="root", reason="child/a: gone"))
    assert row == {
        **{"child": "root", "incarnation": 0, "concern": "group", "role": "service", "event": "escalated"},
        **{"node_id": None, "pid": None, "leader": 7, "detail": "child/a: gone", "exit_class": None},
    }


def test_what_happened_to_a_child_is_on_record_with_its_place(tmp_path: Any):
    where = Location(process=ProcessIdentity(11, 22), node_id="n1", host="h")
    (row,) = written(
        tmp_path,
        "children",
        m.RecordChild(
            key="child/a", incarnation=3, event="died", role="service", location=where, detail="x", exit_class="killed"
        ),
    )
    assert row == {
        **{"child": "child/a", "incarnation": 3, "concern": "child", "role": "service", "event": "died"},
        **{"node_id": "n1", "pid": 11, "leader": 7, "detail": "x", "exit_class": "killed"},
    }


def test_a_restart_is_on_record_with_its_group_and_its_pause(tmp_path: Any):
    restart = m.RecordRestart(
        key="child/a",
        from_incarnation=1,
        to_incarnation=2,
        exit_class="crash",
        reason="boom",
        group="root",
        delay_ms=250,
    )
    (row,) = written(tmp_path, "restarts", restart)
    assert row == {
        **{"child": "child/a", "from_incarnation": 1, "to_incarnation": 2, "exit_class": "crash", "reason": "boom"},
        **{"group_name": "root", "delay_ms": 250.0, "leader": 7},
    }
