"""The last few states of children and trees in the log: written durably, replaced and never collected."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb

from actors.checkpoint.format import Checkpoint, Damage, decode
from actors.checkpoint.rules import KEEP as KEEP_CHECKPOINTS
from actors.checkpoint.rules import Order, check_log_size, order_of, refuse_stale, surplus
from actors.event_log.failures import explain
from actors.event_log.store import EventStore
from actors.event_log.tree_record import KEEP as KEEP_TREES
from actors.event_log.tree_record import TreeRecord
from actors.runtime.errors import CheckpointStoreError, EventLogError, StaleIncarnationError

TREE_BYTES_MAX = 16 << 20

_ROWS_MAX = 4 * KEEP_CHECKPOINTS
"""Checkpoints of a child in the file; beyond it all but the last few go, at once: a deletion costs a millisecond."""

_HELD_BYTES = 64 << 20
"""Newest checkpoints that are held in memory, bytes."""

_SMALL_BYTES = 64 << 10
"""Checkpoints up to this size may wait for that; of larger ones no more than the last few are ever there."""

_KEYS_KNOWN = 10_000

_CHECKPOINT_ORDER = "era, incarnation, number"
_TREE_ORDER = "era, leader_incarnation, version"


@dataclass(slots=True)
class _Known:
    """What is kept of one child. Nobody else writes the file.

    Attributes:
        orders: Its checkpoints.
        claim: Who has claimed it.
        newest: The newest of them, encoded, in the file or owed to it; None where it is too large to be held.
        is_written: Whether the claim is in the file.
        changing: Whether a checkpoint of it is on its way into the file.
    """

    orders: set[Order]
    claim: Order | None
    newest: tuple[Order, bytes] | None = None
    is_written: bool = True
    changing: bool = False

    def present(self) -> Iterator[Order]:
        """What has been written or claimed."""
        yield from self.orders
        if self.newest is not None:
            yield self.newest[0]
        if self.claim is not None:
            yield self.claim

    @property
    def is_complete(self) -> bool:
        """Whether the newest checkpoint is known without the file."""
        return not self.changing and (self.newest is not None if self.orders else True)


class StateKeeper:
    """Checkpoints and trees in the open log. Every method but `hold_checkpoint` returns after its commit.

    Args:
        store: The open log.
    """

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._known: dict[str, _Known] = {}
        self._held_bytes = 0
        self._noted: dict[str, Order] = {}
        """Claims that are in no file yet."""
        self._owed: dict[str, tuple[Order, bytes]] = {}
        """Newest checkpoints that were acknowledged and are in no file yet."""
        self._unpaid: set[str] = set()
        """Children whose checkpoint could not be written: the next one is written before it is acknowledged."""
        self._index = threading.Lock()
        """Guards what `take_over` reads; whoever changes the file holds its lock, too."""

    def claim(self, key: str, era: int, incarnation: int) -> None:
        """Refuse checkpoints of earlier lives of `key` from now on; see `CheckpointStore.claim`."""
        claim = (era, incarnation, 0)
        with self._changing(key) as (connection, known):
            with self._index:
                self._note_claim(key, known, claim)
            _write_claim(connection, key, known)

    def take_over(self, key: str, era: int, incarnation: int) -> tuple[Order, bytes] | None:
        """`claim`, and then `get_checkpoint`: the newest one that an earlier life can have been told is kept.

        Where all is known already the file is not asked: a failover waits for this, while others write. The claim is in
        the file with the child's next checkpoint, or by `write_claim`. Until then it is lost with this writer; then a
        life that was replaced and not ended might put one checkpoint more before its successor puts its first.
        """
        with self._index:
            known = self._known.get(key)
            if known is not None and known.is_complete:
                self._note_claim(key, known, (era, incarnation, 0))
                return known.newest
        self.claim(key, era, incarnation)
        found = self.get_checkpoint(key, None)
        with self._index:
            known = self._known.get(key)
            if known is not None and found is not None and known.orders and found[0] == max(known.orders):
                self._hold(known, found)
        return found

    def write_claim(self, key: str) -> None:
        """Put a claim that was only noted into the file."""
        with self._changing(key) as (connection, known):
            _write_claim(connection, key, known)

    def _note_claim(self, key: str, known: _Known, claim: Order) -> None:
        refuse_stale(key, claim, known.present())
        if known.claim != claim:
            known.claim = self._noted[key] = claim
            known.is_written = False

    def _hold(self, known: _Known, newest: tuple[Order, bytes]) -> None:
        if known.newest is not None and known.newest[0] > newest[0]:
            return
        if known.newest is not None:
            self._held_bytes -= len(known.newest[1])
        known.newest = newest if len(newest[1]) <= _SMALL_BYTES else None
        self._held_bytes += 0 if known.newest is None else len(known.newest[1])

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
        self._put(read, order, data)

    def hold_checkpoint(self, data: bytes, era: int) -> str | None:
        """Keep an encoded checkpoint in memory, where `take_over` finds it; `write_owed` puts it into the file.

        What is large, or would be the first of its child in this process, or follows one that could not be written, is
        put into the file at once.

        Returns: The child, if `write_owed` is to be called for it.
        Raises: as `put_checkpoint`.
        """
        read = self._read(data)
        order = order_of(read, era)
        with self._index:
            known = self._known.get(read.key)
            is_first = read.key not in self._owed
            if (
                known is not None
                and not known.changing
                and len(data) <= _SMALL_BYTES
                and read.key not in self._unpaid
                and order > max(known.orders, default=(0, 0, 0))
            ):
                refuse_stale(read.key, order, known.present())
                self._hold(known, (order, data))
                self._owed[read.key] = max((order, data), self._owed.get(read.key, (order, data)))
                return read.key if is_first else None
        self._put(read, order, data)
        return None

    def write_owed(self, key: str) -> None:
        """Put a checkpoint that is only held into the file; without one it does nothing.

        Raises:
            EventLogError: The disk or the file failed; it is still held, and the child's next one is told.
        """
        owed = self._owed.get(key)
        if owed is None:
            return
        try:
            self._put(self._read(owed[1]), *owed, is_accepted=True)
        except EventLogError:
            self._unpaid.add(key)
            raise

    def write_all_owed(self) -> None:
        """`write_owed` for every child."""
        for key in list(self._owed):
            self.write_owed(key)

    def _read(self, data: bytes) -> Checkpoint:
        read = decode(data)
        if isinstance(read, Damage):
            raise CheckpointStoreError("a child", store=self._store.path, reason=read.reason, remedy="Send it again")
        check_log_size(read.key, len(data))
        return read

    def _put(self, read: Checkpoint, order: Order, data: bytes, *, is_accepted: bool = False) -> None:
        row = [read.key, *order, read.class_name, read.state_version, read.at_us, data]
        with self._changing(read.key) as (connection, known):
            with self._index:
                if not is_accepted:
                    refuse_stale(read.key, order, known.present())
                elif self._owed.get(read.key) != (order, data):
                    return  # it was written meanwhile, or deleted
                known.changing = True
            _write_claim(connection, read.key, known)
            if order in known.orders:
                _delete(connection, "checkpoints", _CHECKPOINT_ORDER, ("key", read.key), [order])
            connection.execute("INSERT INTO checkpoints VALUES (?, ?, ?, ?, ?, ?, make_timestamptz(?::BIGINT), ?)", row)
            known.orders.add(order)
            if len(known.orders) > (_ROWS_MAX if len(data) <= _SMALL_BYTES else KEEP_CHECKPOINTS):
                old = surplus(known.orders, KEEP_CHECKPOINTS)
                _delete(connection, "checkpoints", _CHECKPOINT_ORDER, ("key", read.key), old)
                known.orders.difference_update(old)
        with self._index:
            if order == max(known.orders, default=None):
                self._hold(known, (order, data))
            known.changing = False
            if read.key in self._owed and self._owed[read.key][0] <= order:
                del self._owed[read.key]
            self._unpaid.discard(read.key)

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
        with self._changing(key) as (connection, _):
            connection.execute("DELETE FROM checkpoints WHERE key = ?", [key])
            connection.execute("DELETE FROM checkpoint_claims WHERE key = ?", [key])
            with self._index:
                self._drop(key)
                self._noted.pop(key, None)
                self._owed.pop(key, None)
                self._unpaid.discard(key)

    @contextmanager
    def _changing(self, key: str) -> Generator[tuple[duckdb.DuckDBPyConnection, _Known]]:
        """A transaction, and what is kept of `key`; what a failed one had noted of it is read anew."""
        try:
            with self._store.transaction() as connection:
                known = self._known.get(key)
                if known is None or self._held_bytes > _HELD_BYTES:
                    known = _Known(set(_orders(connection, key)), _claim(connection, key))
                    with self._index:
                        if key in self._noted:
                            known.claim, known.is_written = self._noted[key], False
                        self._make_room()
                        self._known[key] = known
                yield connection, known
            with self._index:
                if known.is_written:
                    self._noted.pop(key, None)
        except BaseException:
            with self._index:
                self._drop(key)
            raise

    def _make_room(self) -> None:
        if len(self._known) >= _KEYS_KNOWN or self._held_bytes > _HELD_BYTES:
            self._known, self._held_bytes = {}, 0

    def _drop(self, key: str) -> None:
        known = self._known.pop(key, None)
        if known is not None and known.newest is not None:
            self._held_bytes -= len(known.newest[1])

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


def _write_claim(connection: duckdb.DuckDBPyConnection, key: str, known: _Known) -> None:
    if known.is_written or known.claim is None:
        return
    era, incarnation, _ = known.claim
    connection.execute("DELETE FROM checkpoint_claims WHERE key = ?", [key])
    connection.execute("INSERT INTO checkpoint_claims VALUES (?, ?, ?)", [key, era, incarnation])
    known.is_written = True


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
