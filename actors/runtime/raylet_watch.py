"""A worker process ends with the raylet that started it.

Ray sees to that itself within seconds, but where its GCS died at the same moment some of its processes wait for that
for a minute. What such a process still does reaches nobody, and to whoever looks at the machine it is left behind.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable

from actors.runtime.clock import sleep

RAYLET = "RAY_RAYLET_PID"
"""The variable in which Ray tells its workers who started them."""

RAY_FIRST_S = 5.0
"""How long Ray may take to end the process itself, seconds."""


def end_with_raylet(end: Callable[[], object], *, after_s: float = RAY_FIRST_S) -> None:
    """Have `end` called, on a thread of its own, when this process's raylet has died; never, where it has none.

    Args:
        end: Ends this process.
        after_s: How long after that death, seconds.
    """
    pid = os.environ.get(RAYLET, "")
    if not pid.isdigit():
        return
    try:
        raylet = os.pidfd_open(int(pid))
    except OSError:
        return  # this kernel has none, or the raylet is gone: Ray's own time limits hold
    threading.Thread(target=_wait, args=(raylet, end, after_s), name="supervisor-raylet", daemon=True).start()


def _wait(raylet: int, end: Callable[[], object], after_s: float) -> None:
    waiting = select.poll()
    waiting.register(raylet, select.POLLIN)
    waiting.poll()
    os.close(raylet)
    sleep(after_s)
    end()
