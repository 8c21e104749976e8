"""Of a database: does it answer a statement, and with what it should."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import closing
from typing import Any

from pydantic import Field, field_validator

from actors.health.probes.place import ReadyProbe, Said

_TEXT_MAX = 100


class SqlProbe(ReadyProbe):
    """Bad when it raises, or its first value is not the one wanted. Each check has a connection of its own."""

    connect: Callable[[], Any] | str = Field(
        description="Gives a DB-API connection, as partial(sqlite3.connect, path); or a URL for SQLAlchemy.",
        repr=False,
    )
    statement: str = Field(default="SELECT 1", min_length=1, description="What to ask.")
    value: Any = Field(default=None, description="What its first row must begin with; None: anything.")

    @field_validator("connect")
    @classmethod
    def _a_url(cls, connect: Callable[[], Any] | str) -> Callable[[], Any] | str:
        if isinstance(connect, str) and "://" not in connect:
            raise ValueError("give what makes a connection, or a URL as postgresql://host/database")
        return connect

    def __call__(self) -> Said:
        rows = self._by_url(self.connect) if isinstance(self.connect, str) else self._by_connection(self.connect)
        first = rows[0][0] if rows and len(rows[0]) else None
        is_well = self.value is None or first == self.value
        shown = repr(first)[:_TEXT_MAX]
        return is_well, f"it says {shown}" + ("" if is_well else f", not {self.value!r:.{_TEXT_MAX}}")

    def _by_connection(self, connect: Callable[[], Any]) -> Any:
        with closing(connect()) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(self.statement)
            return cursor.fetchmany(1)

    def _by_url(self, url: str) -> Any:
        library: Any = importlib.import_module("sqlalchemy")  # the user's own: he gives its URL
        engine = library.create_engine(url, poolclass=importlib.import_module("sqlalchemy.pool").NullPool)
        with engine.connect() as connection:
            return connection.execute(library.text(self.statement)).fetchmany(1)
