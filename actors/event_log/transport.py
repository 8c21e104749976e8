"""The emitters' way to the log's writer, whichever incarnation of it lives."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

from ray.exceptions import RayError

from actors.runtime.batches import Batch
from actors.runtime.replies import when_answered

Done = Callable[[BaseException | None], None]


class NoWriterError(ConnectionError):
    """No writer is known at the moment; the batch is kept and sent later."""


class LogTransport:
    """Sends batches to the writer that `writer` names at that moment.

    Args:
        writer: Returns the current writer's handle, or None while there is none.
        leader: The supervisor incarnation that sends, so that the writer can refuse one that was replaced; else None.
    """

    def __init__(self, writer: Callable[[], Any | None], *, leader: int | None = None) -> None:
        self._writer = writer
        self._leader = leader

    def send(self, batch: Batch, done: Done) -> None:
        """Send one batch; `done(None)` after its commit, `done(error)` when it must be sent again."""
        handle = self._writer()
        if handle is None:
            done(NoWriterError("the event log's writer is being replaced"))
            return
        try:
            data = pickle.dumps(batch, 5)
            ref = handle.append.remote(data) if self._leader is None else handle.append.remote(data, self._leader)
        except (RayError, ValueError, AttributeError) as error:
            done(error)
            return
        when_answered(ref, partial(_answer, done))


def _answer(done: Done, reply: object) -> None:
    done(reply if isinstance(reply, BaseException) else None)
