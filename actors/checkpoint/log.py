"""Checkpoints in the event log, through its writer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from actors.checkpoint.format import Checkpoint, encode
from actors.checkpoint.rules import Found, Order, check_log_size, choose, order_of
from actors.checkpoint.spool import SMALL_BYTES, Entry, Spool
from actors.event_log.asking import PATIENCE_S, KnownWriter, Writer, ask_writer
from actors.runtime.errors import CheckpointStoreError, EventLogError


class LogStore:
    """Checkpoints in the event log; a `CheckpointStore`.

    The log keeps the last three of each child, and up to nine more small ones until they are deleted together.

    What an earlier life of the cluster left is not taken up: who starts a program twice with one log file starts twice.
    State that is to outlive its cluster belongs into a folder (`checkpoint_path`).

    Args:
        writer: Returns the current writer's handle, or None while there is none. A writer that is being replaced is
            waited for, so what is put may be written twice: that has the same effect.
        era: Which life of the cluster this is, see `rules`.
        patience_s: How long to wait for a writer that is being replaced, seconds.
        known: The writer to ask first, if one is known.
        spool: What the writer shares with the processes of its node; on others it is empty, and the writer is asked.
    """

    def __init__(
        self,
        writer: Writer,
        *,
        era: int = 0,
        patience_s: float = PATIENCE_S,
        known: Any | None = None,
        spool: Spool | None = None,
    ) -> None:
        self._writer = KnownWriter(writer, known)
        self._era = era
        self._patience_s = patience_s
        self._spool = spool

    def claim(self, key: str, incarnation: int) -> None:
        """See `CheckpointStore.claim`."""
        self._ask(key, "claim_checkpoints", key, self._era, incarnation)

    def take_over(self, key: str, incarnation: int, *, class_name: str, state_version: int) -> Found:
        """See `CheckpointStore.take_over`: a failover waits for the spool, or for one answer of the log."""
        entry = self._claim_in_spool(key, incarnation)
        if entry is not None and entry.is_complete:
            newest = None if entry.newest is None or entry.data is None else (entry.newest, entry.data)
        else:
            newest = self._ask(key, "take_over_checkpoints", key, self._era, incarnation)
        candidates = self._newest_first(key, newest)
        return choose(key, candidates, class_name=class_name, state_version=state_version)

    def put(self, checkpoint: Checkpoint) -> None:
        """See `CheckpointStore.put`."""
        self._put(checkpoint, "put_checkpoint")

    def put_soon(self, checkpoint: Checkpoint) -> None:
        """See `CheckpointStore.put_soon`: the spool holds it, and the log's writer copies it from there."""
        data = encode(checkpoint)
        if len(data) > SMALL_BYTES or not self._put_into_spool(checkpoint, data):
            self._put(checkpoint, "hold_checkpoint")

    def _claim_in_spool(self, key: str, incarnation: int) -> Entry | None:
        try:
            return None if self._spool is None else self._spool.claim(key, (self._era, incarnation, 0))
        except OSError:
            return None  # the writer says what is wrong

    def _put_into_spool(self, checkpoint: Checkpoint, data: bytes) -> bool:
        try:
            order = order_of(checkpoint, self._era)
            return self._spool is not None and self._spool.put(checkpoint.key, order, data)
        except OSError:
            return False

    def latest(self, key: str, *, class_name: str, state_version: int) -> Found:
        """See `CheckpointStore.latest`."""
        newest = self._ask(key, "get_checkpoint", key, None)
        return choose(key, self._newest_first(key, newest), class_name=class_name, state_version=state_version)

    def delete(self, key: str) -> None:
        """See `CheckpointStore.delete`."""
        self._ask(key, "delete_checkpoints", key)

    def _put(self, checkpoint: Checkpoint, method: str) -> None:
        data = encode(checkpoint)
        check_log_size(checkpoint.key, len(data))
        self._ask(checkpoint.key, method, data, self._era)

    def _newest_first(self, key: str, newest: tuple[Order, bytes] | None) -> Iterator[tuple[str, bytes]]:
        found = newest
        while found is not None and found[0][0] == self._era:
            order = found[0]
            yield f"checkpoint {order[1]}.{order[2]} in the event log", found[1]
            found = self._ask(key, "get_checkpoint", key, order)

    def _ask(self, key: str, method: str, *arguments: Any) -> Any:
        try:
            return ask_writer(self._writer, method, *arguments, patience_s=self._patience_s)
        except EventLogError as error:
            raise CheckpointStoreError(
                key, store=f"the event log {error.path}", reason=error.reason, remedy=error.remedy
            ) from error
