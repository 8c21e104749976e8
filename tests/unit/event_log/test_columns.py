from __future__ import annotations

from actors.event_log.columns import Column, ColumnType, Handover, table_of


def test_placeholders_read_what_is_emitted_as_what_is_stored():
    time, trace = Column("t", ColumnType.TIME), Column("i", ColumnType.TRACE_ID)
    assert time.placeholder(Handover.ONE_VALUE) == "make_timestamptz(?::BIGINT)"
    assert time.placeholder(Handover.NUMBERS) == "make_timestamptz(unnest(string_split(?::VARCHAR, ',')::BIGINT[]))"
    assert trace.placeholder(Handover.LIST) == "unnest(?::VARCHAR[])"


def test_ids_become_hexadecimal_digits():
    assert [type_.hex_digits for type_ in (ColumnType.TRACE_ID, ColumnType.SPAN_ID, ColumnType.TEXT)] == [32, 16, 0]
    assert ColumnType.DOUBLE.database_type == "DOUBLE"


def test_a_table_keeps_the_order_of_its_columns():
    table = table_of("t", b=ColumnType.TEXT, a=ColumnType.TIME)
    assert ([column.name for column in table.columns], table.width) == (["b", "a"], 2)
