"""Columns and tables as emitters and the writer know them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import assert_never

TEXT_SEPARATOR = "\x1f"
"""ASCII's unit separator."""


class ColumnType(Enum):
    """What a column holds, and how an emitted value becomes it."""

    TEXT = auto()
    INTEGER = auto()
    BIGINT = auto()
    DOUBLE = auto()
    TIME = auto()
    """A TIMESTAMPTZ, emitted as wall-clock microseconds since the Unix epoch."""
    TRACE_ID = auto()
    """32 hexadecimal digits, emitted as those or as an int."""
    SPAN_ID = auto()
    """16 hexadecimal digits, emitted as those or as an int."""

    @property
    def emitted_type(self) -> str:
        """The DuckDB type that an emitted value is read as."""
        match self:
            case ColumnType.TEXT | ColumnType.TRACE_ID | ColumnType.SPAN_ID:
                return "VARCHAR"
            case ColumnType.INTEGER:
                return "INTEGER"
            case ColumnType.BIGINT | ColumnType.TIME:
                return "BIGINT"
            case ColumnType.DOUBLE:
                return "DOUBLE"
            case _:
                assert_never(self)

    @property
    def database_type(self) -> str:
        """The column's type in the database."""
        return "TIMESTAMP WITH TIME ZONE" if self is ColumnType.TIME else self.emitted_type

    @property
    def hex_digits(self) -> int:
        """How many hexadecimal digits an emitted int becomes; 0 when it stays what it is."""
        return {ColumnType.TRACE_ID: 32, ColumnType.SPAN_ID: 16}.get(self, 0)


TEXT, INTEGER, BIGINT, DOUBLE = ColumnType.TEXT, ColumnType.INTEGER, ColumnType.BIGINT, ColumnType.DOUBLE
TIME, TRACE_ID, SPAN_ID = ColumnType.TIME, ColumnType.TRACE_ID, ColumnType.SPAN_ID


class Handover(Enum):
    """How the values of a column are given to DuckDB."""

    ONE_VALUE = auto()
    """The same value for all rows."""
    NUMBERS = auto()
    """A text of numbers (or ids), separated by commas."""
    TEXTS = auto()
    """One text of texts, separated by `TEXT_SEPARATOR`, which none of them holds."""
    LIST = auto()
    """A list of values."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column that emitters fill."""

    name: str
    type: ColumnType

    def placeholder(self, handover: Handover) -> str:
        """The SQL that turns one parameter, handed over in that way, into this column's values."""
        emitted = self.type.emitted_type
        match handover:
            case Handover.ONE_VALUE:
                value = f"?::{emitted}"
            case Handover.NUMBERS:
                value = f"unnest(string_split(?::VARCHAR, ',')::{emitted}[])"
            case Handover.TEXTS:
                value = f"unnest(string_split(?::VARCHAR, chr({ord(TEXT_SEPARATOR)})))"
            case Handover.LIST:
                value = f"unnest(?::{emitted}[])"
            case _:
                assert_never(handover)
        return f"make_timestamptz({value})" if self.type is ColumnType.TIME else value


@dataclass(frozen=True, slots=True)
class Table:
    """A table that emitters fill: its name and columns, in the order of an emitted row."""

    name: str
    columns: tuple[Column, ...]

    @property
    def width(self) -> int:
        """How many values an emitted row has."""
        return len(self.columns)


def table_of(table: str, /, **columns: ColumnType) -> Table:
    """A table with these columns, in this order."""
    return Table(table, tuple(Column(column, type_) for column, type_ in columns.items()))
