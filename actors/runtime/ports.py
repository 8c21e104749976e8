"""What a lower room needs of a higher one: Protocols that are handed over at start."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from actors.checkpoint.format import Checkpoint
    from actors.checkpoint.rules import Found
    from actors.runtime.batches import Batch
    from actors.runtime.orphan import Root


class BatchTransport(Protocol):
    """Carries batches of log rows from an emitter to the writer of the event log."""

    def send(self, batch: Batch, done: Callable[[BaseException | None], None]) -> None:
        """Send `batch` without blocking for its answer.

        Args:
            batch: What to send; it must not be changed.
            done: To be called once, from any thread: with None once the batch is committed, else with what went wrong.
                A `BatchRefusedError` (or an error whose `cause` is one) sets the batch aside, any other is retried.
                It only notes the answer and returns at once.
        """
        ...


class RootLookup(Protocol):
    """Says whether anybody leads an actor's supervisor, for those that were told nothing for long."""

    def root(self) -> Root:
        """Ask Ray; may block while its GCS does not answer."""
        ...


class CheckpointStore(Protocol):
    """Keeps the last few checkpoints of each child. Its methods block, for as long as the disk or the network does."""

    def claim(self, key: str, incarnation: int) -> None:
        """Refuse checkpoints of earlier incarnations from now on.

        Called by a life of the child that was accepted, before it asks for the latest: what an earlier one, replaced
        and not knowing it, manages to put is then either found by `latest`, or was refused and never acknowledged.

        Raises:
            StaleIncarnationError: A later incarnation has claimed or written already.
            CheckpointStoreError: The store could not be changed.
        """
        ...

    def take_over(self, key: str, incarnation: int, *, class_name: str, state_version: int) -> Found:
        """`claim`, and then `latest`; in one step where the store has one.

        Raises: as both.
        """
        ...

    def put(self, checkpoint: Checkpoint) -> None:
        """Keep `checkpoint`: when this returns it outlives every process. The same one again changes nothing.

        Raises:
            StaleIncarnationError: A later incarnation of the child has written here already.
            CheckpointTooLargeError: It is larger than this store takes.
            CheckpointStoreError: It could not be written; those written before are untouched.
        """
        ...

    def put_soon(self, checkpoint: Checkpoint) -> None:
        """Like `put`, but it may return once a process of the store holds it, and outlive that one a moment later.

        As good as a standby's memory, and as quick. `take_over` finds it at once.

        Raises: as `put`.
        """
        ...

    def latest(self, key: str, *, class_name: str, state_version: int) -> Found:
        """The newest good checkpoint of a child.

        Args:
            key: The child.
            class_name: The class that is to restore it.
            state_version: Its version of its state.
        Raises:
            CheckpointMismatchError: The newest good one is of another class or state version.
            CheckpointStoreError: The store could not be read.
        """
        ...

    def delete(self, key: str) -> None:
        """Forget every checkpoint of a child; without any it does nothing.

        Raises:
            CheckpointStoreError: The store could not be changed.
        """
        ...


class ChildPorts(Protocol):
    """What the actor of a child needs of the supervisor. It pickles: it is handed to the actor's constructor."""

    def announce_exit(self, name: str, exit_class: str) -> None:
        """Tell the leader that the user's code ends the child, before its process ends.

        Args:
            name: The full name of the child's incarnation.
            exit_class: "normal" or "crash".
        """
        ...

    def checkpoints(self, path: str | None) -> CheckpointStore:
        """The store of a folder's fsspec URL, or of the event log (None)."""
        ...

    def record(self, name: str, event: str, detail: str) -> None:
        """Write a line about this incarnation into the event log (table `children`); does not wait for it."""
        ...
