"""Reading the log with SQL: exactly one SELECT or EXPLAIN, which can change nothing, within a time and a row limit.

The statement's type alone proves little: a CTE with an INSERT is a SELECT to the parser. So each query also runs inside
BEGIN TRANSACTION READ ONLY, and the store has locked the settings and taken away the file system.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import duckdb

from actors.event_log.migrate import rollback
from actors.runtime.errors import EventLogError, QueryRefusedError

TIMEOUT_S = 30.0
ROW_LIMIT = 100_000

Parameters = Sequence[Any] | Mapping[str, Any] | None

_EXPLAIN = re.compile(r"\s*explain\b(\s+analyze\b)?(\s*\(\s*(?:format|analyze|verbose)\b[^)]*\))?", re.IGNORECASE)
_READ_ONLY = "read-only mode"


def run_query(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    parameters: Parameters = None,
    *,
    path: str = "",
    timeout_s: float = TIMEOUT_S,
    row_limit: int = ROW_LIMIT,
) -> list[dict[str, Any]]:
    """Run one reading statement.

    Args:
        connection: A cursor that nobody else uses meanwhile.
        sql: One SELECT or EXPLAIN; DuckDB's `from table` too. Placeholders are `?`, `$1` or `$name`.
        parameters: Their values: a sequence, or a mapping for `$name`.
        path: The log's path, for messages.
        timeout_s: After this long it is interrupted, seconds.
        row_limit: More rows than this are an error, not a cut.
    Returns: The rows, each a dict of plain Python values; times are aware datetimes in UTC. Of columns with the same
        name the second is called `name_2`, and so on.
    Raises:
        QueryRefusedError: It is not one reading statement, or it reaches for files or settings.
        EventLogError: It is wrong SQL (with DuckDB's message), too slow, or gives too many rows.
    """
    _check(connection, sql, path)
    try:
        with _time_limit(connection, timeout_s):
            return _fetch(connection, sql, parameters, path=path, row_limit=row_limit)
    except duckdb.InterruptException:
        raise EventLogError(
            path,
            reason=f"the query took longer than {timeout_s:g} s",
            remedy="Narrow it, for example by ingest_id or time",
        ) from None
    except (duckdb.Error, RuntimeError, TypeError, ValueError) as error:
        raise _explain(path, error) from None


def _fetch(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Parameters, *, path: str, row_limit: int
) -> list[dict[str, Any]]:
    connection.execute("BEGIN TRANSACTION READ ONLY")
    try:
        result = connection.execute(sql, parameters)
        names, instants = _columns(result.description or [])
        rows = result.fetchmany(row_limit + 1)
    finally:
        rollback(connection)
    if len(rows) > row_limit:
        raise EventLogError(
            path, reason=f"the query gives more than {row_limit} rows", remedy="Add a LIMIT, or aggregate"
        )
    if not instants:
        return [dict(zip(names, row, strict=True)) for row in rows]
    return [dict(zip(names, _with_utc(row, instants), strict=True)) for row in rows]


def _check(connection: duckdb.DuckDBPyConnection, sql: str, path: str) -> None:
    """Refuse whatever is not one SELECT, or an EXPLAIN of one (EXPLAIN ANALYZE runs what it explains)."""
    kind = _only_kind(connection, sql, path)
    if kind is duckdb.StatementType.EXPLAIN:
        prefix = _EXPLAIN.match(sql)
        if prefix is None:
            raise QueryRefusedError("write EXPLAIN as the first word")
        kind = _only_kind(connection, sql[prefix.end() :], path)
    if kind is not duckdb.StatementType.SELECT:
        raise QueryRefusedError(f"it is a statement of type {kind.name}")


def _only_kind(connection: duckdb.DuckDBPyConnection, sql: str, path: str) -> Any:
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise _explain(path, error) from None
    if len(statements) != 1:
        raise QueryRefusedError(f"it holds {len(statements)} statements")
    return statements[0].type


def _explain(path: str, error: Exception) -> Exception:
    text = str(error).strip()
    if isinstance(error, duckdb.PermissionException):
        return QueryRefusedError(f"it reaches outside of the log ({text.splitlines()[0]})")
    if _READ_ONLY in text:
        return QueryRefusedError("it would write")
    if "configuration has been locked" in text:
        return QueryRefusedError("it would change a setting")
    if isinstance(error, duckdb.OutOfMemoryException):
        return EventLogError(
            path, reason=f"the query needs too much memory ({text.splitlines()[0]})", remedy="Narrow it"
        )
    return EventLogError(
        path, reason=f"the query does not work: {text}", remedy="The tables and columns: `from duckdb_columns()`"
    )


@contextmanager
def _time_limit(connection: duckdb.DuckDBPyConnection, timeout_s: float) -> Generator[None]:
    timer = threading.Timer(timeout_s, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _columns(description: Sequence[Any]) -> tuple[list[str], list[int]]:
    """The columns' names, made unique, and which of them are instants."""
    names: list[str] = []
    instants: list[int] = []
    for position, column in enumerate(description):
        name, copies = str(column[0]), 1
        while name in names:
            copies += 1
            name = f"{column[0]}_{copies}"
        names.append(name)
        if str(column[1]) == "TIMESTAMP WITH TIME ZONE":
            instants.append(position)
    return names, instants


def _with_utc(row: tuple[Any, ...], instants: list[int]) -> list[Any]:
    """The row with the standard library's UTC in place of pytz's, which a reader elsewhere may lack."""
    values = list(row)
    for position in instants:
        value = values[position]
        if isinstance(value, datetime):
            values[position] = value.replace(tzinfo=UTC)
    return values
