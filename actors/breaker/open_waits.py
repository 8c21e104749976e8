"""The user's function for `open_s`, asked on a thread of its own: one that hangs holds up neither calls nor timers."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from actors.breaker.definitions import asked_wait_s

if TYPE_CHECKING:
    from actors.breaker.settings import BreakerSettings

PATIENCE_S = 1.0
"""How long whoever has found the breaker opening waits for it, seconds; then it goes on, and the longest wait holds."""

RUNNING_MAX = 8
"""Functions of all breakers of a process that run at a time."""

_LOG = logging.getLogger("supervisor.breaker")


class _Running:
    """How many run; a forked child begins with none."""

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        self.room = threading.Semaphore(RUNNING_MAX)


_RUNNING = _Running()


def ask_open_wait(name: str, settings: BreakerSettings, openings: int, tell: Callable[[float | None], object]) -> None:
    """Ask how long a breaker stays open, and wait `PATIENCE_S` for it.

    Args:
        name: The breaker.
        settings: Those in force; without a function among them the answer is None.
        openings: Openings in a row.
        tell: Called with the answer, None if the function fails, when it is there; not at all if it never ends.
    """
    room = _RUNNING.room

    def ask() -> None:
        try:
            wait_s = asked_wait_s(name, settings, openings)
        finally:
            room.release()
        tell(wait_s)

    if not room.acquire(blocking=False):
        _LOG.warning("breaker %r: %d functions for open_s run already; it stays open for open_s_max", name, RUNNING_MAX)
        tell(None)
        return
    thread = threading.Thread(target=ask, name="breaker-wait", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the interpreter ends
        room.release()
        return
    thread.join(PATIENCE_S)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_RUNNING.begin_anew)
