"""What a lower room needs of a higher one: Protocols that are handed over at start."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from actors.runtime.batches import Batch


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
