"""What is written down of messages is what a successor reads, in a real log."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from actors.event_log.query import run_query
from actors.event_log.schema import TABLES
from actors.event_log.store import BatchState, EventStore
from actors.notifier import messages as m
from actors.notifier import rows
from actors.runtime.batches import Batch
from tests.unit.notifier.scene import alert, entry

NOW_US = 1_700_000_000_000_000


@pytest.fixture
def store(tmp_path: Path):
    store = EventStore(tmp_path / "log.duckdb")
    yield store
    store.close()


def write(store: EventStore, *told: tuple[str, rows.Row]) -> None:
    for seq, (table, row) in enumerate(told, start=1):
        batch = Batch("e", seq, {table: [[value] for value in row]})
        assert store.append([batch])[0].state is BatchState.COMMITTED


def read(store: EventStore, sql: str, *parameters: Any) -> list[dict[str, Any]]:
    reader = store.reader()
    try:
        return run_query(reader, sql, parameters, path=store.path)
    finally:
        reader.close()


def test_what_waits_is_found_oldest_first_with_its_latest_record(store: EventStore):
    first, second, third = (entry(alert(key=key), entry_id=key) for key in ("9.1", "9.2", "9.10"))
    tried = m.OutboxEntry(entry_id="9.1", channel="mail", alerts=first.alerts, attempts=2)
    write(
        store,
        rows.waiting_row(first, NOW_US),
        rows.waiting_row(second, NOW_US),
        rows.waiting_row(third, NOW_US),
        rows.waiting_row(tried, NOW_US),
        rows.forgotten_row("9.2", NOW_US),
    )
    assert rows.entries_of(read(store, rows.WAITING), NOW_US) == (tried, third)
    later = rows.entries_of(read(store, rows.WAITING), NOW_US + 2_500_000)
    assert later == (replace(tried, age_s=2.5), replace(third, age_s=2.5))


def test_what_cannot_be_read_tells_of_nothing():
    row = {"message_id": "1.1", "channel": "mail", "attempts": 0, "at_us": NOW_US}
    damaged = [row | {"alerts": '[{"kee": 1}]'}, row | {"alerts": "{"}, row | {"alerts": None}]
    assert [each.alerts for each in rows.entries_of(damaged, NOW_US)] == [(), (), ()]


def test_history_tells_of_whom_and_nothing_of_the_address(store: EventStore):
    message = entry(alert(incident_id="1.7"), alert("b/x"), entry_id="9.1")
    told = rows.history_row(m.RecordNotification(entry=message, result="failed", detail="no answer"), NOW_US)
    write(store, told)
    (row,) = read(store, "SELECT * EXCLUDE (ingest_id, at_time) FROM notifications")
    assert row == {
        "message_id": "9.1",
        "channel": "mail",
        "result": "failed",
        "attempts": 0,
        "alerts": 2,
        "component": "db",
        "severity": "medium",
        "title": "db is down",
        "incidents": "1.7",
        "detail": "no answer",
    }


def test_rows_are_as_wide_as_their_tables():
    message = entry()
    for table, row in (
        rows.waiting_row(message, 1),
        rows.forgotten_row("1", 1),
        rows.history_row(m.RecordNotification(entry=message, result="sent"), 1),
    ):
        assert len(row) == TABLES[table].width
