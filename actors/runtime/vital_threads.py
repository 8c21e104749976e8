"""Threads that an actor cannot do without.

A thread that ends by an error nobody expected leaves an actor that answers its heartbeats and does nothing: nobody
would ever replace it. So no thread of ours ends like that. One that only looks, or hands something on, begins anew: it
holds nothing that the error could have spoilt. One that decides ends its actor's process, and a successor begins from
what is kept.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable

from actors.runtime.clock import SYSTEM_CLOCK, sleep

CRASH_CODE = 1

PAUSE_S = 1.0
"""How long a thread that begins anew waits before that, seconds; twice as long each time it fails again soon."""

PAUSE_S_MAX = 30.0

FRESH_S = 10.0
"""A process younger than this goes on all the same, seconds.

What it met may be waiting for its successor, too, and those must not end as fast as they can be made.
"""

_LOG = logging.getLogger("supervisor")


def end_worker(code: int) -> None:
    """End this process at once, if it is Ray's worker: a program that holds a shell itself is not ours to end."""
    import ray  # noqa: PLC0415 - threads of ours run where there is no Ray, too

    if ray.is_initialized() and ray.get_runtime_context().worker.mode == ray.WORKER_MODE:
        os._exit(code)


def crash() -> None:
    """End this actor's process as one that failed."""
    end_worker(CRASH_CODE)


def steady_thread(work: Callable[..., None], *args: object, name: str) -> threading.Thread:
    """A thread, not started yet, that begins its work anew after an error.

    Args:
        work: What it does; it returns when it is done.
        args: What that takes.
        name: The thread's.
    """

    def run() -> None:
        pause_s = PAUSE_S / 2
        while True:
            began_at = SYSTEM_CLOCK.now()
            try:
                work(*args)
            except Exception:  # noqa: BLE001 - see above
                soon = SYSTEM_CLOCK.now() - began_at < PAUSE_S_MAX
                pause_s = min(2 * pause_s, PAUSE_S_MAX) if soon else PAUSE_S
                _LOG.exception("%s met an error that nobody expected; it begins anew in %g s", name, pause_s)
                sleep(pause_s)
            else:
                return

    return threading.Thread(target=run, name=name, daemon=True)


def vital_thread(
    work: Callable[..., None], *args: object, name: str, end: Callable[[], None] = crash, fresh_s: float = FRESH_S
) -> threading.Thread:
    """A thread, not started yet, whose error ends its process.

    Args:
        work: What it does; it returns when it is done. In a process that is fresh it may be begun anew.
        args: What that takes.
        name: The thread's.
        end: Ends the process. Where it does not, because that is a user's, the work is begun anew.
        fresh_s: How long the process counts as fresh, seconds.
    """
    began_at = SYSTEM_CLOCK.now()

    def work_or_end() -> None:
        try:
            work(*args)
        except Exception:
            if SYSTEM_CLOCK.now() - began_at >= fresh_s:
                _LOG.exception("%s met an error that nobody expected: this process ends", name)
                end()
            raise

    return steady_thread(work_or_end, name=name)
