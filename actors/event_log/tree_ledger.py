"""A leader's way to the tree that the log keeps."""

from __future__ import annotations

from actors.event_log.asking import PATIENCE_S, Writer, ask_writer
from actors.event_log.tree_record import TreeRecord


class TreeLedger:
    """The last few records of one supervisor's tree. Its methods block; a machine's thread does not call them.

    Args:
        supervisor: Whose tree.
        writer: Returns the current writer's handle, or None while there is none.
        era: Which life of the cluster this is, see `actors.checkpoint.rules`.
        patience_s: How long to wait for a writer that is being replaced, seconds.
    """

    def __init__(self, supervisor: str, writer: Writer, *, era: int = 0, patience_s: float = PATIENCE_S) -> None:
        self._supervisor = supervisor
        self._writer = writer
        self._era = era
        self._patience_s = patience_s

    def put(self, leader_incarnation: int, version: int, data: bytes, *, at_us: int) -> None:
        """Keep a tree: it is on the disk when this returns. The same version again changes nothing.

        Raises:
            StaleIncarnationError: A later leader has written already.
            EventLogError: It could not be written; those written before are untouched.
        """
        record = TreeRecord(
            supervisor=self._supervisor,
            leader_incarnation=leader_incarnation,
            version=version,
            at_us=at_us,
            data=data,
            era=self._era,
        )
        ask_writer(self._writer, "put_tree", record, patience_s=self._patience_s)

    def records(self) -> list[TreeRecord]:
        """The last records, newest first. One of another `era` is of a cluster that is gone: so are its actors.

        Raises:
            EventLogError: The log could not be read.
        """
        found: list[TreeRecord] = ask_writer(self._writer, "get_trees", self._supervisor, patience_s=self._patience_s)
        return found
