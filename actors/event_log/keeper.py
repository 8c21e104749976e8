"""The last few states of children and trees in the log: written durably, replaced and never collected."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb

from actors.checkpoint.format import Checkpoint, Damage, decode
from actors.checkpoint.rules import KEEP as KEEP_CHECKPOINTS
from actors.checkpoint.rules import Order, check_log_size, order_of, surplus
from actors.checkpoint.spool import SMALL_BYTES, Entry, Spool
from actors.event_log.failures import explain
from actors.event_log.store import EventStore
from actors.event_log.tree_record import KEEP as KEEP_TREES
from actors.event_log.tree_record import TreeRecord
from actors.runtime.errors import CheckpointStoreError, EventLogError, StaleIncarnationError, SupervisorError

TREE_BYTES_MAX = 16 << 20

_ROWS_MAX = 4 * KEEP_CHECKPOINTS
"""Checkpoints of a child in the file; beyond it all but the last few go, at once: a deletion costs a millisecond."""

_KEYS_KNOWN = 10_000

_CHECKPOINT_ORDER = "era, incarnation, number"
_TREE_ORDER = "era, leader_incarnation, version"


@dataclass(slots=True)
class _InFile:
    """What the file has of one child. Nobody else writes it."""

    orders: set[Order]
    claim: Order | None
    is_sure: bool = True
    """Whether no transaction that changes it is under way or has failed."""


class StateKeeper:
    """Checkpoints and trees in the open log. All but `hold_checkpoint` and `take_over` return after their commit.

    What it is told of a child goes into the spool first, and what the spool says counts: processes of this node claim
    and put there, too. The file follows. Only under the store's transaction is an entry of the spool made or removed.

    Args:
        store: The open log.
        spool: Where the processes of this node find the newest of each child.
    """

    def __init__(self, store: EventStore, spool: Spool) -> None:
        self._store = store
        self._spool = spool
        self._in_file: dict[str, _InFile] = {}
        self._unpaid: set[str] = set()
        """Children whose checkpoint could not be written: the next one is written before it is acknowledged."""

    def claim(self, key: str, era: int, incarnation: int) -> None:
        """Refuse checkpoints of earlier lives of `key` from now on; see `CheckpointStore.claim`."""
        self._claimed(key, (era, incarnation, 0))
        self.write_owed(key)

    def take_over(self, key: str, era: int, incarnation: int) -> tuple[Order, bytes] | None:
        """`claim`, and then `get_checkpoint`: the newest one that an earlier life can have been told is kept.

        Where the spool has it the file is not asked: a failover waits for this, while others write. The claim is in
        the file with the child's next checkpoint, or by `write_owed`.
        """
        entry = self._claimed(key, (era, incarnation, 0))
        if entry.is_complete:
            return None if entry.newest is None or entry.data is None else (entry.newest, entry.data)
        self.write_owed(key)  # and with it whoever was writing has done so
        return self.get_checkpoint(key, None)

    def put_checkpoint(self, data: bytes, era: int) -> None:
        """Keep an encoded checkpoint, and drop what it makes superfluous; the same one again changes nothing.

        Raises:
            StaleIncarnationError: A later life of the child has claimed or written already.
            CheckpointTooLargeError: It has more bytes than the log takes.
            CheckpointStoreError: It did not arrive as it was sent.
            EventLogError: The disk or the file failed.
        """
        read = self._read(data)
        order = order_of(read, era)
        with self._changing(read.key) as (connection, in_file):
            self._spooled(read, order, data, connection, in_file)
            _write_claim(connection, read.key, in_file, self._entry(read.key))
            _write(connection, in_file, read, order, data)
        self._unpaid.discard(read.key)

    def hold_checkpoint(self, data: bytes, era: int) -> None:
        """Keep an encoded checkpoint in the spool, where `take_over` finds it; `write_marked` puts it into the file.

        What is large, or would be the first of its child, or follows one that could not be written, is put into the
        file at once.

        Raises: as `put_checkpoint`.
        """
        read = self._read(data)
        if len(data) <= SMALL_BYTES and read.key not in self._unpaid:
            with self._explaining(read.key):
                if self._spool.put(read.key, order_of(read, era), data):
                    return
        self.put_checkpoint(data, era)

    def write_owed(self, key: str) -> None:
        """Put what only the spool has of a child into the file, claim and checkpoint; else it does nothing.

        Raises:
            EventLogError: The disk or the file failed; the spool still has it, and the child's next one is told.
        """
        try:
            with self._changing(key) as (connection, in_file):
                entry = self._entry(key)
                _write_claim(connection, key, in_file, entry)
                if entry.newest is not None and entry.data is not None and entry.newest not in in_file.orders:
                    _write(connection, in_file, self._read(entry.data), entry.newest, entry.data)
        except EventLogError:
            self._unpaid.add(key)
            raise
        self._unpaid.discard(key)

    def write_marked(self) -> None:
        """`write_owed` for the children whose entries in the spool have changed since the last call.

        Raises: as `write_owed`, once all were tried.
        """
        failed: SupervisorError | None = None
        for key in self._spool.take_owed():
            try:
                self.write_owed(key)
            except (EventLogError, CheckpointStoreError) as error:
                failed = error
        if failed is not None:
            raise failed

    def write_all_owed(self) -> None:
        """`write_owed` for every child; after a predecessor was killed, and before the end."""
        for key in self._spool.keys():
            self.write_owed(key)

    def _claimed(self, key: str, claim: Order) -> Entry:
        while True:
            with self._explaining(key):
                entry = self._spool.claim(key, claim)
            if entry is not None:
                return entry
            with self._changing(key) as (connection, in_file):
                self._introduce(key, connection, in_file)

    def _spooled(
        self, read: Checkpoint, order: Order, data: bytes, connection: duckdb.DuckDBPyConnection, in_file: _InFile
    ) -> None:
        with self._explaining(read.key):
            if not self._spool.put(read.key, order, data):
                self._introduce(read.key, connection, in_file)
                self._spool.put(read.key, order, data)

    def _introduce(self, key: str, connection: duckdb.DuckDBPyConnection, in_file: _InFile) -> None:
        """Make a child's entry in the spool, as the file has it."""
        newest = max(in_file.orders, default=None)
        data = None if newest is None else _data(connection, key, newest)
        with self._explaining(key):
            self._spool.open(key, Entry(in_file.claim, newest, data))

    def _entry(self, key: str) -> Entry:
        with self._explaining(key):
            return self._spool.entry(key) or Entry(None, None, None)

    @contextmanager
    def _explaining(self, key: str) -> Generator[None]:
        try:
            yield
        except OSError as error:
            raise CheckpointStoreError(
                key,
                store=f"the spool {self._spool.folder}",
                reason=f"{type(error).__name__}: {error}",
                remedy="It needs room on the disk of Ray's session folder, and permission to write there",
            ) from error

    def _read(self, data: bytes) -> Checkpoint:
        read = decode(data)
        if isinstance(read, Damage):
            raise CheckpointStoreError("a child", store=self._store.path, reason=read.reason, remedy="Send it again")
        check_log_size(read.key, len(data))
        return read

    def get_checkpoint(self, key: str, before: Order | None) -> tuple[Order, bytes] | None:
        """The newest checkpoint of `key`, or the newest one before another; good or not. None when there is none."""
        self.write_owed(key)
        reader = self._store.reader()
        try:
            earlier = [order for order in _orders(reader, key) if before is None or order < before]
            if not earlier:
                return None
            order = max(earlier)
            found = reader.execute(
                f"SELECT data FROM checkpoints WHERE key = ? AND ({_CHECKPOINT_ORDER}) = (?, ?, ?)",  # noqa: S608 - ours
                [key, *order],
            ).fetchall()
        except duckdb.Error as error:
            raise explain(self._store.path, error) from error
        finally:
            reader.close()
        # Between the two statements it may have been replaced by later ones: then begin anew.
        return (order, bytes(found[0][0])) if found else self.get_checkpoint(key, before)

    def delete_checkpoints(self, key: str) -> None:
        """Forget every checkpoint of `key`, and who claimed it."""
        with self._changing(key) as (connection, in_file):
            connection.execute("DELETE FROM checkpoints WHERE key = ?", [key])
            connection.execute("DELETE FROM checkpoint_claims WHERE key = ?", [key])
            in_file.orders.clear()
            in_file.claim = None
            with self._explaining(key):
                self._spool.remove(key)
            self._unpaid.discard(key)

    @contextmanager
    def _changing(self, key: str) -> Generator[tuple[duckdb.DuckDBPyConnection, _InFile]]:
        """A transaction, and what the file has of `key`; what a failed one had noted of it is read anew."""
        with self._store.transaction() as connection:
            in_file = self._in_file.get(key)
            if in_file is None or not in_file.is_sure:
                if len(self._in_file) >= _KEYS_KNOWN:
                    self._in_file.clear()
                in_file = self._in_file[key] = _InFile(set(_orders(connection, key)), _claim(connection, key))
            in_file.is_sure = False
            yield connection, in_file
        in_file.is_sure = True

    def put_tree(self, record: TreeRecord) -> None:
        """Keep a tree, and drop what it makes superfluous; the same one again changes nothing.

        Raises:
            StaleIncarnationError: A later leader has written already.
            EventLogError: It has more than `TREE_BYTES_MAX` bytes, or the disk or the file failed.
        """
        if len(record.data) > TREE_BYTES_MAX:
            raise EventLogError(
                self._store.path,
                reason=f"the tree has {len(record.data)} bytes, and the log takes {TREE_BYTES_MAX} at most",
                remedy="Give the children smaller arguments: put what is big into a file or an ObjectRef",
            )
        row = [record.supervisor, *record.order, record.at_us, record.data]
        with self._store.transaction() as connection:
            present = _tree_orders(connection, record.supervisor)
            if any(other[:2] > record.order[:2] for other in present):
                accepted = max(present)[1]
                raise StaleIncarnationError("the tree ledger", sent_by=record.leader_incarnation, accepted=accepted)
            old = surplus({*present, record.order}, KEEP_TREES)
            _delete(connection, "tree_ledger", _TREE_ORDER, ("supervisor", record.supervisor), [record.order, *old])
            if record.order not in old:
                connection.execute("INSERT INTO tree_ledger VALUES (?, ?, ?, ?, make_timestamptz(?::BIGINT), ?)", row)

    def get_trees(self, supervisor: str, limit: int = KEEP_TREES) -> list[TreeRecord]:
        """The newest records of a supervisor's tree, newest first."""
        reader = self._store.reader()
        try:
            rows = reader.execute(
                f"SELECT {_TREE_ORDER}, epoch_us(at_time), data FROM tree_ledger WHERE supervisor = ? "  # noqa: S608 - ours
                "ORDER BY era DESC, leader_incarnation DESC, version DESC LIMIT ?",
                [supervisor, limit],
            ).fetchall()
        except duckdb.Error as error:
            raise explain(self._store.path, error) from error
        finally:
            reader.close()
        return [
            TreeRecord(
                supervisor=supervisor, era=era, leader_incarnation=life, version=version, at_us=at_us, data=bytes(data)
            )
            for era, life, version, at_us, data in rows
        ]


def _orders(connection: duckdb.DuckDBPyConnection, key: str) -> list[Order]:
    return connection.execute(
        f"SELECT {_CHECKPOINT_ORDER} FROM checkpoints WHERE key = ?",  # noqa: S608 - ours
        [key],
    ).fetchall()


def _data(connection: duckdb.DuckDBPyConnection, key: str, order: Order) -> bytes:
    found = connection.execute(
        f"SELECT data FROM checkpoints WHERE key = ? AND ({_CHECKPOINT_ORDER}) = (?, ?, ?)",  # noqa: S608 - ours
        [key, *order],
    ).fetchall()
    return bytes(found[0][0])


def _write(
    connection: duckdb.DuckDBPyConnection, in_file: _InFile, read: Checkpoint, order: Order, data: bytes
) -> None:
    key = read.key
    if order in in_file.orders:
        _delete(connection, "checkpoints", _CHECKPOINT_ORDER, ("key", key), [order])
    row = [key, *order, read.class_name, read.state_version, read.at_us, data]
    connection.execute("INSERT INTO checkpoints VALUES (?, ?, ?, ?, ?, ?, make_timestamptz(?::BIGINT), ?)", row)
    in_file.orders.add(order)
    if len(in_file.orders) > (_ROWS_MAX if len(data) <= SMALL_BYTES else KEEP_CHECKPOINTS):
        old = surplus(in_file.orders, KEEP_CHECKPOINTS)
        _delete(connection, "checkpoints", _CHECKPOINT_ORDER, ("key", key), old)
        in_file.orders.difference_update(old)


def _write_claim(connection: duckdb.DuckDBPyConnection, key: str, in_file: _InFile, entry: Entry | None) -> None:
    if entry is None or entry.claim is None or entry.claim == in_file.claim:
        return
    era, incarnation, _ = entry.claim
    connection.execute("DELETE FROM checkpoint_claims WHERE key = ?", [key])
    connection.execute("INSERT INTO checkpoint_claims VALUES (?, ?, ?)", [key, era, incarnation])
    in_file.claim = entry.claim


def _claim(connection: duckdb.DuckDBPyConnection, key: str) -> Order | None:
    claims = connection.execute("SELECT era, incarnation, 0 FROM checkpoint_claims WHERE key = ?", [key]).fetchall()
    return max(claims, default=None)


def _tree_orders(connection: duckdb.DuckDBPyConnection, supervisor: str) -> list[Order]:
    return connection.execute(
        f"SELECT {_TREE_ORDER} FROM tree_ledger WHERE supervisor = ?",  # noqa: S608 - ours
        [supervisor],
    ).fetchall()


def _delete(
    connection: duckdb.DuckDBPyConnection, table: str, columns: str, owner: tuple[str, Any], doomed: Sequence[Order]
) -> None:
    for order in doomed:
        connection.execute(
            f"DELETE FROM {table} WHERE {owner[0]} = ? AND ({columns}) = (?, ?, ?)",  # noqa: S608 - ours
            [owner[1], *order],
        )
