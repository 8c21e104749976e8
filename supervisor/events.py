"""Reading the event log: `sup.events`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import ray
from ray.exceptions import ActorDiedError, ActorUnavailableError, GetTimeoutError, RayError

from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.emitter import Emitter
from actors.runtime.errors import EventLogError, SupervisorError

_WRITER_WAIT_S = 15.0
_ANSWER_S = 35.0
"""Longer than a query may run at the writer (30 s), which then says so itself."""

_ASK_AGAIN_S = 0.05
_TAIL_WAIT_S = 2.0


class Events:
    """The log as one process reads it. Reading goes on over a writer's death; the next one answers."""

    def __init__(
        self, emitter: Emitter, writer: Callable[[], Any | None], path: str, *, check_open: Callable[[], None]
    ) -> None:
        self._check_open = check_open
        self._emitter = emitter
        self._writer = writer
        self.path = path

    def query(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Run one SELECT over the log; what this process recorded before is in it.

        Args:
            sql: Exactly one SELECT (DuckDB's `from tasks` too) or EXPLAIN; it cannot change anything.
            parameters: Values for `?` or `$name`.
        Returns: One dict per row, at most 100,000.
        Raises:
            QueryRefusedError: Not one SELECT, or it does not run; the message says why.
            EventLogError: No writer answers within 15 s.
            SupervisorClosedError: The handle is shut down.
        """
        self._check_open()
        self._emitter.flush(_WRITER_WAIT_S)
        return self._ask(lambda writer: writer.query.remote(sql, parameters))

    def record(self, table: str, row: tuple[Any, ...]) -> bool:
        """Put a row of one's own into a table of the log; returns at once. False: it was dropped, and counted.

        Args:
            table: One of the log's tables.
            row: Its columns in schema order, without `ingest_id`; times in wall-clock microseconds.
        """
        return self._emitter.emit(table, row)

    def tail(
        self, kinds: Sequence[str] | None = None, *, after: int | None = None, follow: bool = True
    ) -> Iterator[dict[str, Any]]:
        """Follow the log as it is written, in the order of the commits.

        Args:
            kinds: The tables to follow (`tasks`, `children`, ...); all when left out.
            after: Start behind this `ingest_id`; 0 for everything there is; left out, with what comes next.
            follow: Wait for more at the end; False stops there.
        """
        cursor = after
        while True:
            wait_s = _TAIL_WAIT_S if follow else 0.0
            page = self._ask(
                lambda writer, cursor=cursor, wait_s=wait_s: writer.tail.remote(cursor, kinds, wait_s=wait_s)
            )
            yield from page.events
            if not follow and (cursor is None or page.cursor == cursor):
                return
            cursor = page.cursor

    def _ask(self, call: Callable[[Any], Any]) -> Any:
        give_up_at = SYSTEM_CLOCK.now() + _WRITER_WAIT_S
        while True:
            self._check_open()
            writer = self._writer()
            if writer is not None:
                try:
                    return ray.get(call(writer), timeout=_ANSWER_S)
                except (ActorDiedError, ActorUnavailableError):
                    pass  # its successor is on its way
                except GetTimeoutError:
                    raise self._silent("its writer does not answer") from None
                except RayError as error:
                    cause = getattr(error, "cause", None)
                    raise (cause if isinstance(cause, SupervisorError) else error) from None
            if SYSTEM_CLOCK.now() >= give_up_at:
                raise self._silent("no writer came up within 15 s")
            sleep(_ASK_AGAIN_S)

    def _silent(self, reason: str) -> EventLogError:
        return EventLogError(self.path, reason=reason, remedy="`supervisor status` says what became of it")
