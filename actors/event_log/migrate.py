"""Numbered migrations: each SQL file is applied once, in order, in a transaction of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files

import duckdb

from actors.runtime.errors import EventLogError

_FILE = re.compile(r"^(?P<version>\d{4})_(?P<name>\w+)\.sql$")


@dataclass(frozen=True, order=True, slots=True)
class Migration:
    """One step of the schema."""

    version: int
    name: str
    sql: str


def known_migrations() -> tuple[Migration, ...]:
    """The migrations of this version of the package, by number, without gaps from 1."""
    found: list[Migration] = []
    for entry in files("actors.event_log").joinpath("migrations").iterdir():
        match = _FILE.match(entry.name)
        if match is not None:
            found.append(Migration(int(match["version"]), match["name"], entry.read_text(encoding="utf-8")))
    return tuple(sorted(found))


def migrate(connection: duckdb.DuckDBPyConnection, path: str) -> None:
    """Bring the database to the schema of this package.

    Raises:
        EventLogError: The file is of a newer schema, or a DuckDB database of something else.
    """
    migrations = known_migrations()
    applied = _applied_version(connection, path)
    newest = migrations[-1].version
    if applied > newest:
        raise EventLogError(
            path,
            reason=f"it has schema version {applied}, and this package knows versions up to {newest}",
            remedy="Upgrade ray-supervisor to the version that wrote it, or choose another log path",
        )
    for migration in migrations[applied:]:
        _apply(connection, migration)


def _applied_version(connection: duckdb.DuckDBPyConnection, path: str) -> int:
    tables = {
        row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables() WHERE NOT internal").fetchall()
    }
    if not tables:
        connection.execute(
            "CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, name VARCHAR NOT NULL, "
            "applied_at TIMESTAMPTZ NOT NULL DEFAULT current_timestamp)"
        )
        return 0
    if "schema_migrations" not in tables:
        raise EventLogError(
            path,
            reason=f"it is a DuckDB database of something else (it holds {', '.join(sorted(tables)[:3])})",
            remedy="Choose another log path",
        )
    ((version,),) = connection.execute("SELECT coalesce(max(version), 0) FROM schema_migrations").fetchall()
    return int(version)


def _apply(connection: duckdb.DuckDBPyConnection, migration: Migration) -> None:
    connection.execute("BEGIN TRANSACTION")
    try:
        connection.execute(migration.sql)
        connection.execute(
            "INSERT INTO schema_migrations (version, name) VALUES (?, ?)", [migration.version, migration.name]
        )
        connection.execute("COMMIT")
    except duckdb.Error:
        rollback(connection)
        raise


def rollback(connection: duckdb.DuckDBPyConnection) -> None:
    """Leave the transaction, if the failure has not ended it already (a failed COMMIT does)."""
    try:
        connection.execute("ROLLBACK")
    except duckdb.TransactionException:
        return
