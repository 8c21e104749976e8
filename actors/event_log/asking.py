"""Asking the log's writer, whichever incarnation of it lives, until it answers or patience ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from actors.runtime.clock import SYSTEM_CLOCK, Clock, sleep
from actors.runtime.errors import EventLogClosedError, WriterUnavailableError

Writer = Callable[[], Any | None]
"""Returns the current writer's handle, or None while there is none."""

PATIENCE_S = 20.0
_ANSWER_S = 8.0
"""How long one answer is waited for: a hung writer is replaced by then, and the next one is asked."""

_PAUSE_S = 0.05


class KnownWriter:
    """A writer that is looked for once, and again when it has not answered: to look takes longer than to be answered.

    Args:
        find: Names the writer.
        known: The one to ask first, if one is known.
    """

    def __init__(self, find: Writer, known: Any | None = None) -> None:
        self._find = find
        self._known = known

    def __call__(self) -> Any | None:
        if self._known is None:
            self._known = self._find()
        return self._known

    def forget(self) -> None:
        """It has not answered."""
        self._known = None


def ask_writer(
    writer: Writer | KnownWriter,
    method: str,
    *arguments: Any,
    patience_s: float = PATIENCE_S,
    clock: Clock = SYSTEM_CLOCK,
) -> Any:
    """What the writer's `method` answers. It may run more than once: it must have the same effect then.

    Args:
        writer: Names the writer, each time anew or until it does not answer.
        method: The method.
        arguments: Its arguments.
        patience_s: How long to ask on while there is no writer, or it ends or is silent, seconds.
        clock: Where the time comes from.
    Raises:
        WriterUnavailableError: Patience ended.
        SupervisorError: What the method raised.
    """
    give_up_at = clock.now() + patience_s
    trouble = "no writer is known"
    while (left_s := give_up_at - clock.now()) > 0:
        try:
            handle = writer()
            if handle is not None:
                return ray.get(getattr(handle, method).remote(*arguments), timeout=min(left_s, _ANSWER_S))
        except RayTaskError as error:
            cause: Any = error.cause
            if not isinstance(cause, EventLogClosedError):
                raise (cause if isinstance(cause, Exception) else error) from None
            trouble = str(cause)
        except (RayError, ValueError) as error:  # a name that nobody holds is a ValueError to Ray
            trouble = str(error).strip().split("\n", 1)[0] or type(error).__name__
        if isinstance(writer, KnownWriter):
            writer.forget()
        sleep(_PAUSE_S)
    raise WriterUnavailableError(patience_s=patience_s, last_error=trouble)
