"""The event log's actor: the only process that has the file open. It joins the parts, which say what they do."""

from __future__ import annotations

import os
import pickle
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import ray

from actors.checkpoint.rules import Order
from actors.checkpoint.spool import Spool
from actors.event_log.committer import GroupCommitter
from actors.event_log.failures import LogBrokenError, LogLockedError
from actors.event_log.keeper import StateKeeper
from actors.event_log.query import ROW_LIMIT, TIMEOUT_S, Parameters, run_query
from actors.event_log.retention import forget
from actors.event_log.span_rows import spans_of
from actors.event_log.store import EventStore
from actors.event_log.tail import TailPage, check_kinds, read_page
from actors.event_log.tree_record import TreeRecord
from actors.runtime.batches import Batch
from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.errors import CheckpointStoreError, EventLogClosedError, EventLogError
from actors.runtime.fault_passing import through
from actors.runtime.fault_points import EVENT_LOG_APPEND, ON
from actors.runtime.node import spool_path
from actors.runtime.shell import ActorShell, as_actor
from actors.runtime.vital_threads import steady_thread
from actors.telemetry.export import SpanExport

APPEND_THREADS = 16
GROUPS = {"read": 4, "tail": 8, "state": 4}
"""`tail` waits for news on its own threads, so that those who follow the log never keep a query waiting.
`state` keeps and gives out checkpoints and trees: a failover does not wait behind appends."""

OPEN_PATIENCE_S = 3.0
_OPEN_RETRY_S = 0.02
_OWED_EVERY_S = 0.1
"""How often the file gets what the spool has and it has not, seconds: what is claimed and put there is not told."""

_TAIL_WAIT_MAX_S = 30.0

FORGET_EVERY_S = 600.0
"""How often what is old is deleted, seconds."""


class EventLogActor(ActorShell):
    """Owns the log's file: commits batches, answers queries, tells what is new.

    Make it with `max_concurrency=APPEND_THREADS`: each waiting `append` holds a thread.

    Args:
        name: The full actor name, incarnation included.
        leader: The supervisor incarnation that created it.
        path: The file. A predecessor that was just killed may hold it for a moment: it is waited for, up to 3 s.
        otlp_endpoint: Where committed spans are also sent by OTLP over HTTP, as `http://host:4318`; None: nowhere.
        keep_days: How long what is history is kept, days; None: for ever.
    Raises:
        EventLogError: The file cannot be used; the message says why and what to do.
    """

    def __init__(
        self, name: str, leader: int, *, path: str, otlp_endpoint: str | None = None, keep_days: float | None = None
    ) -> None:
        super().__init__(name, leader)
        # Task arguments may be in the log, and DuckDB makes its .wal file with the process's mask.
        os.umask(0o077)
        self._store = open_patiently(path, patience_s=OPEN_PATIENCE_S)
        self._export = SpanExport(otlp_endpoint, spans_of) if otlp_endpoint else None
        self._committer = GroupCommitter(self._store, on_committed=self._offer_spans, on_broken=_end_process)
        self._keeper = StateKeeper(self._store, Spool(spool_path(self.identity.supervisor, path)))
        self._stopping = threading.Lock()
        self._ended = threading.Event()
        steady_thread(self._write_owed, name="event-log-spool").start()
        if keep_days is not None:
            threading.Thread(target=self._forget, args=(keep_days,), name="log-retention", daemon=True).start()

    def _forget(self, keep_days: float) -> None:
        while not self._ended.wait(FORGET_EVERY_S):
            try:
                forget(self._store, keep_days=keep_days, now_us=SYSTEM_CLOCK.wall_us())
            except EventLogClosedError:
                return
            except LogBrokenError:
                _end_process()
            except EventLogError:
                continue  # the disk is full: what is old goes another time

    def append(self, batch: bytes, leader: int | None = None) -> None:
        """Return once the batch is on the disk; one that is there already changes nothing.

        Args:
            batch: A pickled `Batch`.
            leader: The supervisor incarnation that sends it; None from anybody else.
        Raises:
            StaleIncarnationError: `leader` has been replaced: what it has to tell is not taken.
            BatchRefusedError: It does not fit the tables; sending it again is of no use.
            EventLogError: The disk is full, or the like; send it again.
        """
        if leader is not None:
            self._obey(leader)
        if ON:
            through(EVENT_LOG_APPEND, "event_log", partial(self._committer.append, _unpickle(batch)))
        else:
            self._committer.append(_unpickle(batch))

    @ray.method(concurrency_group="read")
    def query(
        self, sql: str, parameters: Parameters = None, *, timeout_s: float = TIMEOUT_S, row_limit: int = ROW_LIMIT
    ) -> list[dict[str, Any]]:
        """Run one SELECT or EXPLAIN; see `run_query`."""
        reader = self._store.reader()
        try:
            return run_query(reader, sql, parameters, path=self._store.path, timeout_s=timeout_s, row_limit=row_limit)
        finally:
            reader.close()

    @ray.method(concurrency_group="tail")
    def tail(
        self, after: int | None = None, kinds: Sequence[str] | None = None, limit: int = 1_000, wait_s: float = 0.0
    ) -> TailPage:
        """What was committed after a cursor.

        Args:
            after: The cursor of the page before; 0 for everything there is, None for what is to come.
            kinds: The tables to follow; None follows all.
            limit: Rows at most.
            wait_s: When there is nothing yet, how long to wait for it, seconds (30 at most).
        """
        check_kinds(kinds)
        cursor = self._store.last_id if after is None else after
        if not self._committer.wait_beyond(cursor, min(wait_s, _TAIL_WAIT_MAX_S)):
            return TailPage(cursor, [])
        reader = self._store.reader()
        try:
            up_to = self._store.last_id
            return read_page(reader, after=cursor, up_to=up_to, kinds=kinds, limit=limit, path=self._store.path)
        finally:
            reader.close()

    @ray.method(concurrency_group="read")
    def statistics(self) -> dict[str, Any]:
        """Counters of this incarnation, the file's size in bytes, and the state of the OTLP export."""
        file = Path(self._store.path)
        return {
            "path": self._store.path,
            "last_id": self._store.last_id,
            "committed_rows": self._committer.committed_rows,
            "commits": self._committer.commits,
            "refused_batches": self._committer.refused_batches,
            "failures": self._committer.failures,
            "last_error": self._committer.last_error,
            "file_bytes": file.stat().st_size if file.exists() else 0,
            "otlp": asdict(self._export.statistics()) if self._export else None,
        }

    @ray.method(concurrency_group="state")
    def claim_checkpoints(self, key: str, era: int, incarnation: int) -> None:
        """Refuse checkpoints of earlier lives of `key` from now on; see `StateKeeper.claim`."""
        with self._keeping() as keeper:
            keeper.claim(key, era, incarnation)

    @ray.method(concurrency_group="state")
    def take_over_checkpoints(self, key: str, era: int, incarnation: int) -> tuple[Order, bytes] | None:
        """`claim_checkpoints`, and then `get_checkpoint`."""
        with self._keeping() as keeper:
            found = keeper.take_over(key, era, incarnation)
        return found

    @ray.method(concurrency_group="state")
    def put_checkpoint(self, data: bytes, era: int) -> None:
        """Keep an encoded checkpoint; it is on the disk when this returns. See `StateKeeper.put_checkpoint`."""
        with self._keeping() as keeper:
            keeper.put_checkpoint(data, era)

    @ray.method(concurrency_group="state")
    def hold_checkpoint(self, data: bytes, era: int) -> None:
        """Keep an encoded checkpoint in the spool, and write it a moment later. See `StateKeeper.hold_checkpoint`."""
        with self._keeping() as keeper:
            keeper.hold_checkpoint(data, era)

    def _write_owed(self) -> None:
        """Nobody is there to be told of a full disk, or of a spool that cannot be read; a child's next put is."""
        self._write_all_owed()  # a predecessor was killed, perhaps
        while not self._ended.wait(_OWED_EVERY_S):
            with suppress(EventLogError, CheckpointStoreError), self._keeping() as keeper:
                keeper.write_marked()

    def _write_all_owed(self) -> None:
        with suppress(EventLogError, CheckpointStoreError), self._keeping() as keeper:
            keeper.write_all_owed()

    @ray.method(concurrency_group="state")
    def get_checkpoint(self, key: str, before: Order | None = None) -> tuple[Order, bytes] | None:
        """The newest checkpoint of `key` (before another one), encoded; None when there is none."""
        with self._keeping() as keeper:
            return keeper.get_checkpoint(key, before)

    @ray.method(concurrency_group="state")
    def delete_checkpoints(self, key: str) -> None:
        """Forget every checkpoint of `key`."""
        with self._keeping() as keeper:
            keeper.delete_checkpoints(key)

    @ray.method(concurrency_group="state")
    def put_tree(self, record: TreeRecord) -> None:
        """Keep a supervisor's tree; it is on the disk when this returns. See `StateKeeper.put_tree`."""
        with self._keeping() as keeper:
            keeper.put_tree(record)

    @ray.method(concurrency_group="state")
    def get_trees(self, supervisor: str) -> list[TreeRecord]:
        """The last records of a supervisor's tree, newest first."""
        with self._keeping() as keeper:
            return keeper.get_trees(supervisor)

    def vital_signs(self) -> dict[str, Any]:
        """Adds what has been committed, so that a supervisor sees progress."""
        return {
            **super().vital_signs(),
            "committed_rows": self._committer.committed_rows,
            "failures": self._committer.failures,
        }

    def on_stop(self) -> None:
        """Commit what waits, give the file back, and let the exporter send the rest for a moment."""
        with self._stopping:
            self._ended.set()
            self._committer.close()
            self._write_all_owed()
            self._store.close()
            if self._export is not None:
                self._export.close(timeout_s=2.0)

    @contextmanager
    def _keeping(self) -> Generator[StateKeeper]:
        try:
            yield self._keeper
        except LogBrokenError:
            _end_process()
            raise

    def _offer_spans(self, batches: Sequence[Batch]) -> None:
        if self._export is not None:
            for batch in batches:
                self._export.offer(batch)


def event_log_actor() -> Any:
    """The Ray actor class of `EventLogActor`, with its concurrency groups."""
    return as_actor(EventLogActor, extra_groups=GROUPS)


def open_patiently(path: str, *, patience_s: float) -> EventStore:
    """Open the log; while another process holds it, try again for `patience_s` seconds."""
    give_up_at = SYSTEM_CLOCK.now() + patience_s
    while True:
        try:
            return EventStore(path)
        except LogLockedError:
            if SYSTEM_CLOCK.now() >= give_up_at:
                raise
        sleep(_OPEN_RETRY_S)


def _unpickle(batch: bytes) -> Batch:
    found = pickle.loads(batch)  # noqa: S301 - it comes over Ray, which unpickles what its cluster sends anyway
    if not isinstance(found, Batch):
        raise TypeError(f"append takes a pickled Batch, not a {type(found).__name__}")
    return found


def _end_process() -> None:
    """Let it crash: DuckDB refuses everything after a fatal error, and the next incarnation opens the file anew."""
    os._exit(1)
