"""The last few states of children and trees in the log: written durably, replaced and never collected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb

from actors.checkpoint.format import Damage, decode
from actors.checkpoint.rules import KEEP as KEEP_CHECKPOINTS
from actors.checkpoint.rules import Order, check_log_size, order_of, refuse_stale, surplus
from actors.event_log.failures import explain
from actors.event_log.store import EventStore
from actors.event_log.tree_record import KEEP as KEEP_TREES
from actors.event_log.tree_record import TreeRecord
from actors.runtime.errors import CheckpointStoreError, EventLogError, StaleIncarnationError

TREE_BYTES_MAX = 16 << 20

_CHECKPOINT_ORDER = "era, incarnation, number"
_TREE_ORDER = "era, leader_incarnation, version"


class StateKeeper:
    """Checkpoints and trees in the open log. Every method returns after its commit, and blocks until then.

    Args:
        store: The open log.
    """

    def __init__(self, store: EventStore) -> None:
        self._store = store

    def claim(self, key: str, era: int, incarnation: int) -> None:
        """Refuse checkpoints of earlier lives of `key` from now on; see `CheckpointStore.claim`."""
        with self._store.transaction() as connection:
            refuse_stale(key, (era, incarnation, 0), _present(connection, key))
            connection.execute("DELETE FROM checkpoint_claims WHERE key = ?", [key])
            connection.execute("INSERT INTO checkpoint_claims VALUES (?, ?, ?)", [key, era, incarnation])

    def take_over(self, key: str, era: int, incarnation: int) -> tuple[Order, bytes] | None:
        """`claim`, and then `get_checkpoint`: the newest one that an earlier life can have been told is kept."""
        self.claim(key, era, incarnation)
        return self.get_checkpoint(key, None)

    def put_checkpoint(self, data: bytes, era: int) -> None:
        """Keep an encoded checkpoint, and drop what it makes superfluous; the same one again changes nothing.

        Raises:
            StaleIncarnationError: A later life of the child has claimed or written already.
            CheckpointTooLargeError: It has more bytes than the log takes.
            CheckpointStoreError: It did not arrive as it was sent.
            EventLogError: The disk or the file failed.
        """
        read = decode(data)
        if isinstance(read, Damage):
            raise CheckpointStoreError("a child", store=self._store.path, reason=read.reason, remedy="Send it again")
        check_log_size(read.key, len(data))
        order = order_of(read, era)
        row = [read.key, *order, read.class_name, read.state_version, read.at_us, data]
        with self._store.transaction() as connection:
            refuse_stale(read.key, order, _present(connection, read.key))
            old = surplus({*_orders(connection, read.key), order}, KEEP_CHECKPOINTS)
            _delete(connection, "checkpoints", _CHECKPOINT_ORDER, ("key", read.key), [order, *old])
            if order not in old:
                connection.execute(
                    "INSERT INTO checkpoints VALUES (?, ?, ?, ?, ?, ?, make_timestamptz(?::BIGINT), ?)", row
                )

    def get_checkpoint(self, key: str, before: Order | None) -> tuple[Order, bytes] | None:
        """The newest checkpoint of `key`, or the newest one before another; good or not. None when there is none."""
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
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM checkpoints WHERE key = ?", [key])
            connection.execute("DELETE FROM checkpoint_claims WHERE key = ?", [key])

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


def _present(connection: duckdb.DuckDBPyConnection, key: str) -> list[Order]:
    """What has been written or claimed."""
    claims = connection.execute("SELECT era, incarnation, 0 FROM checkpoint_claims WHERE key = ?", [key]).fetchall()
    return [*_orders(connection, key), *claims]


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
