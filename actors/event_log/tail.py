"""Following the log: the rows of all tables in the order of their commits, from a cursor that never goes stale.

The cursor is an ingest id. One writer assigns these in commit order over all tables and never reuses one. So "all
after n" is exact, also after a restart of the writer and after old rows were deleted.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import duckdb

from actors.event_log.query import run_query
from actors.event_log.schema import TABLES
from actors.runtime.errors import QueryRefusedError


@dataclass(frozen=True, slots=True)
class TailPage:
    """Some rows, and where to go on.

    Attributes:
        cursor: Hand it in as `after` to get what comes next.
        events: The rows in commit order; each a dict of its columns, with `kind`, the table's name.
    """

    cursor: int
    events: list[dict[str, Any]]


def check_kinds(kinds: Sequence[str] | None) -> tuple[str, ...]:
    """The tables to follow: those named, or all.

    Raises:
        QueryRefusedError: There is no table of such a name.
    """
    unknown = sorted(set(kinds or ()) - set(TABLES))
    if unknown:
        raise QueryRefusedError(f"there is no kind {', '.join(unknown)} (kinds: {', '.join(TABLES)})")
    return tuple(kinds) if kinds else tuple(TABLES)


def read_page(
    connection: duckdb.DuckDBPyConnection,
    *,
    after: int,
    up_to: int,
    kinds: Sequence[str] | None,
    limit: int,
    path: str = "",
) -> TailPage:
    """The first `limit` rows after ingest id `after`.

    Args:
        connection: A cursor that nobody else uses meanwhile.
        after: The cursor of the page before.
        up_to: The last ingest id that is known to be committed; nothing beyond is read, so the cursor may go there.
        kinds: The tables to follow; None follows all.
        limit: Rows at most.
        path: The log's path, for messages.
    """
    streams = [_rows(connection, kind, after=after, up_to=up_to, limit=limit, path=path) for kind in check_kinds(kinds)]
    events = list(heapq.merge(*streams, key=itemgetter("ingest_id")))
    if len(events) < limit:
        return TailPage(max(after, up_to), events)
    events = events[:limit]
    return TailPage(events[-1]["ingest_id"], events)


def _rows(
    connection: duckdb.DuckDBPyConnection, kind: str, *, after: int, up_to: int, limit: int, path: str
) -> list[dict[str, Any]]:
    return run_query(
        connection,
        # The table's name cannot be a parameter; check_kinds has made sure that it is one of ours.
        f"SELECT '{kind}' AS kind, * FROM {kind} "  # noqa: S608
        "WHERE ingest_id > ? AND ingest_id <= ? ORDER BY ingest_id LIMIT ?",
        [after, up_to, limit],
        path=path,
    )
