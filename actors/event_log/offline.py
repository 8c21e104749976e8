"""Reading a log whose writer has ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from actors.event_log.query import Parameters, run_query
from actors.event_log.store import EventStore
from actors.runtime.errors import EventLogError


def query_file(path: str | Path, sql: str, parameters: Parameters = None) -> list[dict[str, Any]]:
    """Run one reading statement over a log file; see `run_query`.

    Raises:
        EventLogError: There is no such file, or its writer still runs: ask that one.
        QueryRefusedError: It is not one reading statement.
    """
    if not Path(path).exists():
        raise EventLogError(
            str(path), reason="there is no such file", remedy="Check the path; it is log.path of the config"
        )
    store = EventStore(path)
    try:
        reader = store.reader()
        try:
            return run_query(reader, sql, parameters, path=str(path))
        finally:
            reader.close()
    finally:
        store.close()
