from __future__ import annotations

import duckdb
import pytest

from actors.event_log.migrate import known_migrations
from actors.event_log.schema import CHILD_EVENTS, EXIT_CLASSES, TABLES
from actors.event_log.store import BatchState, EventStore

KEPT = ["checkpoint_claims", "checkpoints", "tree_ledger"]
"""Tables that emitters do not fill."""


def test_the_schema_says_what_the_migrations_made(read):
    columns = read(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal "
        "AND column_name <> 'ingest_id' AND table_name NOT IN ('ingested', 'schema_migrations', "
        f"{', '.join(map(repr, KEPT))}) "
        "AND table_name IN (SELECT table_name FROM duckdb_tables()) ORDER BY table_name, column_index"
    )
    assert columns == [
        (table.name, column.name, column.type.database_type)
        for table in sorted(TABLES.values(), key=lambda table: table.name)
        for column in table.columns
    ]


def test_every_table_numbers_its_rows(read):
    numbered = read("SELECT table_name FROM duckdb_columns() WHERE column_name = 'ingest_id' ORDER BY 1")
    assert numbered == [(name,) for name in sorted(TABLES)]


def test_states_that_are_kept_are_no_events(read):
    tables = read("SELECT table_name FROM duckdb_tables() WHERE NOT internal ORDER BY 1")
    assert [name for (name,) in tables if name not in TABLES] == [*KEPT[:2], "ingested", "schema_migrations", KEPT[2]]


def child_row(event: str, exit_class: str | None = None) -> tuple[object, ...]:
    return ("child/cart", 1, "child", "active", event, None, None, 1_700_000_000_000_000, 1, None, exit_class)


def test_every_event_and_exit_class_is_taken_and_no_other(store, batch_of, read):
    rows = [child_row(event) for event in CHILD_EVENTS] + [child_row("died", how) for how in EXIT_CLASSES]
    assert store.append([batch_of(1, *rows, table="children")])[0].state is BatchState.COMMITTED
    for seq, row in enumerate((child_row("exploded"), child_row("died", "exploded")), start=2):
        assert store.append([batch_of(seq, row, table="children")])[0].state is BatchState.REFUSED
    assert read("SELECT count(*) FROM children") == [(len(rows),)]


@pytest.mark.parametrize("version", range(1, len(known_migrations())))
def test_a_log_of_an_earlier_schema_is_brought_up_with_its_rows(path, monkeypatch, version: int):
    with monkeypatch.context() as earlier:
        earlier.setattr("actors.event_log.migrate.known_migrations", lambda: known_migrations()[:version])
        EventStore(path).close()
    connection = duckdb.connect(path)
    connection.execute(
        "INSERT INTO children (ingest_id, child, incarnation, event, at_time) "
        "VALUES (7, 'worker/w0', 2, 'died', current_timestamp)"
    )
    connection.close()
    store = EventStore(path)
    reader = store.reader()
    rows = reader.execute("SELECT ingest_id, child, incarnation, event, exit_class FROM children").fetchall()
    assert rows == [(7, "worker/w0", 2, "died", None)]
    reader.close()
    store.close()
