from __future__ import annotations

from actors.event_log.schema import TABLES, Column, ColumnType, Handover


def test_the_schema_says_what_the_migrations_made(read):
    columns = read(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal "
        "AND column_name <> 'ingest_id' AND table_name NOT IN ('ingested', 'schema_migrations') "
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


def test_placeholders_read_what_is_emitted_as_what_is_stored():
    time, trace = Column("t", ColumnType.TIME), Column("i", ColumnType.TRACE_ID)
    assert time.placeholder(Handover.ONE_VALUE) == "make_timestamptz(?::BIGINT)"
    assert time.placeholder(Handover.NUMBERS) == "make_timestamptz(unnest(string_split(?::VARCHAR, ',')::BIGINT[]))"
    assert trace.placeholder(Handover.LIST) == "unnest(?::VARCHAR[])"


def test_ids_become_hexadecimal_digits():
    assert [type_.hex_digits for type_ in (ColumnType.TRACE_ID, ColumnType.SPAN_ID, ColumnType.TEXT)] == [32, 16, 0]
    assert ColumnType.DOUBLE.database_type == "DOUBLE"
