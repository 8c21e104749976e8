"""Batches into one INSERT a table: checked against the schema, merged, and told in SQL. Pure.

DuckDB's client pays for every value handed over, and more than its SQL pays to split a text. So a column that holds
one value for all rows is handed over as one value, a column of numbers, ids or plain texts as one text, and only the
rest as a list.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from actors.event_log.schema import TABLES, TEXT_SEPARATOR, Column, ColumnType, Handover, Table
from actors.runtime.batches import Batch


@dataclass(frozen=True, slots=True)
class Insert:
    """One statement with its parameters."""

    sql: str
    parameters: list[Any]


@dataclass(slots=True)
class MergedRows:
    """The rows of one table from several batches, and their ingest ids, as ranges in order."""

    columns: list[list[Any]]
    ids: list[range]


def fault(batch: Batch) -> str:
    """Why `batch` cannot go into the tables of this schema; empty when its shape fits."""
    for name, columns in batch.tables.items():
        table = TABLES.get(name)
        if table is None:
            return f"there is no table {name!r} (tables: {', '.join(TABLES)})"
        if len(columns) != table.width:
            return f"table {name} has {table.width} columns, the batch {len(columns)}"
        if len({len(column) for column in columns}) != 1:
            return f"the columns of table {name} differ in length"
    return ""


def merge(batches: Iterable[tuple[Batch, int]]) -> dict[str, MergedRows]:
    """The rows of all batches by table, in order.

    Args:
        batches: Each batch (of a shape that fits) with the ingest id of its first row.
    """
    merged: dict[str, MergedRows] = {}
    for batch, first_id in batches:
        next_id = first_id
        for name, columns in batch.tables.items():
            count = len(columns[0])
            rows = merged.get(name)
            if rows is None:
                rows = merged[name] = MergedRows([[] for _ in columns], [])
            for target, column in zip(rows.columns, columns, strict=True):
                target.extend(column)
            _extend(rows.ids, range(next_id, next_id + count))
            next_id += count
    return merged


def insert_statement(name: str, rows: MergedRows) -> Insert:
    """The INSERT of `rows` into table `name`."""
    table = TABLES[name]
    expressions: list[str] = []
    parameters: list[Any] = []
    for column, values in zip(table.columns, rows.columns, strict=True):
        expressions.append(_expression(column, values, parameters))
    if len(rows.ids) == 1:
        parameters.extend((rows.ids[0].start, rows.ids[0].stop))
        ids = "range(?, ?)"
    else:
        parameters.append([ingest_id for ids in rows.ids for ingest_id in ids])
        ids = "?::BIGINT[]"
    return Insert(f"{_head(table)} SELECT {', '.join(expressions)}, unnest({ids})", parameters)


def with_clean_text(batch: Batch) -> Batch:
    """The batch with texts that UTF-8 can hold: a lone surrogate, as a user's exception may carry, becomes `?`."""
    return Batch(
        batch.epoch,
        batch.seq,
        {name: [[_clean(value) for value in column] for column in columns] for name, columns in batch.tables.items()},
    )


def _extend(ranges: list[range], more: range) -> None:
    if ranges and ranges[-1].stop == more.start:
        ranges[-1] = range(ranges[-1].start, more.stop)
    else:
        ranges.append(more)


def _head(table: Table) -> str:
    return f"INSERT INTO {table.name} ({', '.join(column.name for column in table.columns)}, ingest_id)"


def _expression(column: Column, values: list[Any], parameters: list[Any]) -> str:
    first = values[0]
    if values[-1] == first and values.count(first) == len(values):
        if first is None:
            return "NULL"
        parameters.append(_as_hex(first, column.type.hex_digits))
        return column.placeholder(Handover.ONE_VALUE)
    text = _as_numbers(column, values)
    if text:
        parameters.append(text)
        return column.placeholder(Handover.NUMBERS)
    text = _as_texts(values)
    if text:
        parameters.append(text)
        return column.placeholder(Handover.TEXTS)
    digits = column.type.hex_digits
    parameters.append([_as_hex(value, digits) for value in values] if digits else values)
    return column.placeholder(Handover.LIST)


def _as_numbers(column: Column, values: list[Any]) -> str:
    """The column as one text of numbers, separated by commas; empty when it holds anything but ints."""
    if column.type in (ColumnType.TEXT, ColumnType.DOUBLE) or set(map(type, values)) != {int}:
        return ""
    digits = column.type.hex_digits
    return ",".join([f"{value:0{digits}x}" for value in values] if digits else map(str, values))


def _as_texts(values: list[Any]) -> str:
    """The column as one text; empty when it holds anything but texts, or one that holds the separator."""
    if set(map(type, values)) != {str}:
        return ""
    text = TEXT_SEPARATOR.join(values)
    return text if text.count(TEXT_SEPARATOR) == len(values) - 1 else ""


def _as_hex(value: Any, digits: int) -> Any:
    return f"{value:0{digits}x}" if digits and isinstance(value, int) else value


def _clean(value: Any) -> Any:
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value
