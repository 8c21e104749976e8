"""The tables of experiments take what a run says, and their views put it together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actors.event_log.chaos_schema import CHAOS_TABLES
from actors.event_log.schema import TABLES
from actors.event_log.store import EventStore

AT_US = 1_700_000_000_000_000


def row(table: str, **values: object) -> tuple[object, ...]:
    """A row of which only these columns are told."""
    return tuple(values.get(column.name) for column in TABLES[table].columns)


def test_a_fault_stands_beside_its_recovery(store: EventStore, batch_of: Callable[..., Any], read: Any) -> None:
    steps = [("injected", 0), ("proven", 1), ("detected", 2), ("recovered", 3), ("undone", 4)]
    rows = [
        row(
            "chaos_experiment_events",
            run="r1",
            event=event,
            fault_id="f1",
            fault="crash",
            at_time=AT_US + at * 1_000_000,
        )
        for event, at in steps
    ]
    store.append([batch_of(1, *rows, table="chaos_experiment_events")])
    assert read("SELECT run, fault_id, date_diff('second', injected_at, recovered_at) FROM chaos_faults") == [
        ("r1", "f1", 3)
    ]


def test_all_of_them_are_tables_of_the_log() -> None:
    assert all(TABLES[table.name] is table for table in CHAOS_TABLES)
