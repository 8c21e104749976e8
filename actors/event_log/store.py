"""The DuckDB file of the event log: opened, migrated, appended to in groups, and read by cursors.

One process has the file open read-write; nobody else can open it, not even to read. Within the process one thread at a
time appends, and readers use cursors of their own beside it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import duckdb

from actors.event_log.failures import ROW_FAULTS, LogLockedError, explain
from actors.event_log.insert import fault, insert_statement, merge, with_clean_text
from actors.event_log.migrate import migrate, rollback
from actors.runtime.batches import Batch, BatchRefusedError
from actors.runtime.errors import EventLogClosedError, EventLogError

MEMORY_LIMIT_MB = 48
"""Of DuckDB's buffers. It fills whatever it is given within 200,000 rows, and appends are no faster for it."""


class BatchState(Enum):
    """What became of a batch."""

    COMMITTED = "committed"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """What became of one batch; `error` says why it was refused."""

    epoch: str
    seq: int
    state: BatchState
    error: BatchRefusedError | None = None


class EventStore:
    """The log's file, open.

    Args:
        path: The file; it and its folder are created when missing, for this user only.
        memory_limit_mb: What DuckDB may keep in memory, megabytes.
    Raises:
        EventLogError: It cannot be opened; the message says why and what to do. `LogLockedError`: another has it.
    """

    def __init__(self, path: str | Path, *, memory_limit_mb: int = MEMORY_LIMIT_MB) -> None:
        self.path = str(path)
        self._lock = threading.Lock()
        self._closed = False
        try:
            _create_if_missing(Path(self.path))
            self._root = _connect(self.path, memory_limit_mb)
        except (duckdb.Error, OSError) as error:
            raise explain(self.path, error) from error
        try:
            self._writer = self._root.cursor()
            self._last_id = self._prepare()
        except (duckdb.Error, OSError, EventLogError) as error:
            self._root.close()
            raise explain(self.path, error) from error

    @property
    def last_id(self) -> int:
        """The highest ingest id that is committed."""
        return self._last_id

    @property
    def export_directory(self) -> Path:
        """The one folder beside the file that SQL may touch."""
        return _export_directory(self.path)

    def append(self, batches: Sequence[Batch]) -> tuple[BatchOutcome, ...]:
        """Commit the rows of all batches in one transaction; a batch that is in already changes nothing.

        When a batch does not fit the tables, it alone is refused and the others are committed, each on its own.

        Returns: What became of each batch, in the order given.
        Raises:
            EventLogError: The disk or the file failed; nothing of this call is committed, and it can be repeated.
                After a full disk the store goes on working; after a `LogBrokenError` it must be opened anew.
        """
        with self._lock:
            if self._closed:
                raise EventLogClosedError(self.path)
            try:
                return self._append_grouped(batches)
            except duckdb.Error as error:
                raise explain(self.path, error) from error

    @contextmanager
    def transaction(self) -> Generator[duckdb.DuckDBPyConnection]:
        """The writing connection inside a transaction that is committed, and durable, when the block ends.

        Whatever leaves the block undoes it; nobody appends meanwhile.

        Raises:
            EventLogError: The disk or the file failed, and nothing of the block is committed.
        """
        with self._lock:
            if self._closed:
                raise EventLogClosedError(self.path)
            try:
                self._writer.execute("BEGIN TRANSACTION")
                try:
                    yield self._writer
                    self._writer.execute("COMMIT")
                except BaseException:
                    rollback(self._writer)
                    raise
            except duckdb.Error as error:
                raise explain(self.path, error) from error

    def reader(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own for one reading thread; the caller closes it.

        Raises:
            EventLogError: The log is closed.
        """
        with self._lock:
            if self._closed:
                raise EventLogClosedError(self.path)
            return self._root.cursor()

    def close(self) -> None:
        """Write everything into the file proper (a checkpoint) and give the file back; a second call does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            try:
                self._writer.execute("CHECKPOINT")
            except duckdb.Error:
                # Readers may be at work, or the disk full: what is committed is safe in the .wal file beside it.
                pass
            finally:
                self._writer.close()
                self._root.close()

    def _append_grouped(self, batches: Sequence[Batch]) -> tuple[BatchOutcome, ...]:
        outcomes = {id(batch): _refused(batch, reason) for batch in batches if (reason := fault(batch))}
        sound = [batch for batch in batches if id(batch) not in outcomes]
        try:
            new = self._commit(sound)
        except ROW_FAULTS:
            outcomes.update({id(batch): self._append_alone(batch) for batch in sound})
        else:
            outcomes.update({id(batch): _settled(batch, is_new=index in new) for index, batch in enumerate(sound)})
        return tuple(outcomes[id(batch)] for batch in batches)

    def _append_alone(self, batch: Batch) -> BatchOutcome:
        try:
            return _settled(batch, is_new=bool(self._commit([batch])))
        except ROW_FAULTS:
            pass
        try:
            return _settled(batch, is_new=bool(self._commit([with_clean_text(batch)])))
        except ROW_FAULTS as error:
            return _refused(batch, str(error).strip().split("\n", 1)[0])

    def _commit(self, batches: Sequence[Batch]) -> set[int]:
        """Commit the batches in one transaction; the positions of those that were not in the log before.

        Batches that are in already are rare, and to ask for them costs as much as all the rest of a small commit: so
        the unique key is first left to object.
        """
        if not batches:
            return set()
        try:
            return self._commit_claimed(batches, "")
        except duckdb.ConstraintException:
            return self._commit_claimed(batches, "ON CONFLICT DO NOTHING")

    def _commit_claimed(self, batches: Sequence[Batch], on_conflict: str) -> set[int]:
        self._writer.execute("BEGIN TRANSACTION")
        try:
            first_ids, last_id = _number(batches, self._last_id + 1)
            new = self._claim(batches, first_ids, on_conflict)
            for name, rows in merge((batches[index], first_ids[index]) for index in sorted(new)).items():
                statement = insert_statement(name, rows)
                self._writer.execute(statement.sql, statement.parameters)
            self._writer.execute("COMMIT")
        except BaseException:
            rollback(self._writer)
            raise
        self._last_id = last_id
        return new

    def _claim(self, batches: Sequence[Batch], first_ids: Sequence[int], on_conflict: str) -> set[int]:
        """Enter the batches' numbers; the unique key tells which are new, or objects."""
        positions: dict[tuple[str, int], int] = {}
        for index, batch in enumerate(batches):
            positions.setdefault((batch.epoch, batch.seq), index)
        keys = list(positions)
        last_ids = [first_ids[index] + batches[index].rows - 1 for index in positions.values()]
        entered = self._writer.execute(
            "INSERT INTO ingested SELECT unnest(?::VARCHAR[]), unnest(?::BIGINT[]), unnest(?::BIGINT[]) "
            f"{on_conflict} RETURNING epoch, seq",
            [[epoch for epoch, _ in keys], [seq for _, seq in keys], last_ids],
        ).fetchall()
        return {positions[epoch, seq] for epoch, seq in entered}

    def _prepare(self) -> int:
        """Migrate, find the last ingest id, and lock what SQL may do to files and settings."""
        migrate(self._writer, self.path)
        ((last_id,),) = self._writer.execute("SELECT coalesce(max(last_id), 0) FROM ingested").fetchall()
        exports = str(self.export_directory).replace("'", "''")
        for setting in (
            "SET GLOBAL TimeZone = 'UTC'",
            f"SET GLOBAL allowed_directories = ['{exports}']",
            "SET GLOBAL enable_external_access = false",
            "SET GLOBAL lock_configuration = true",
        ):
            self._writer.execute(setting)
        return int(last_id)


def check_path(path: str | Path) -> None:
    """Open, migrate and close the log at `path`: what a driver asks before it starts anything.

    Raises:
        EventLogError: The log cannot be used there; the message says why and what to do.
    """
    EventStore(path).close()


def _create_if_missing(path: Path) -> None:
    """Create the file whole or not at all: one that DuckDB was killed in the middle of creating can never be opened."""
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    newborn = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        duckdb.connect(newborn).close()
        newborn.chmod(0o600)
        _move_if_absent(newborn, path)
    finally:
        newborn.unlink(missing_ok=True)


def _move_if_absent(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileExistsError:
        return
    except OSError:
        # Some file systems have no hard links; a rename is as whole, and the race it leaves is one of milliseconds.
        if not target.exists():
            source.rename(target)


def _connect(path: str, memory_limit_mb: int) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        path,
        config={
            "memory_limit": f"{memory_limit_mb}MB",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        },
    )
    # Within one process DuckDB hands out the open database again instead of refusing it.
    # (Fetch everything: a result left open keeps its transaction open, and then nothing is ever checkpointed.)
    if connection.execute("SELECT current_setting('lock_configuration')").fetchall() == [(True,)]:
        connection.close()
        raise LogLockedError(path, pid=os.getpid())
    return connection


def _export_directory(path: str) -> Path:
    return Path(path).absolute().parent / "export"


def _number(batches: Sequence[Batch], next_id: int) -> tuple[list[int], int]:
    first_ids: list[int] = []
    for batch in batches:
        first_ids.append(next_id)
        next_id += batch.rows
    return first_ids, next_id - 1


def _settled(batch: Batch, *, is_new: bool) -> BatchOutcome:
    return BatchOutcome(batch.epoch, batch.seq, BatchState.COMMITTED if is_new else BatchState.DUPLICATE)


def _refused(batch: Batch, reason: str) -> BatchOutcome:
    error = BatchRefusedError(batch.epoch, batch.seq, reason=reason)
    return BatchOutcome(batch.epoch, batch.seq, BatchState.REFUSED, error)
