"""How late is an event loop? A call is put on it, and waited for.

Which loops there are in a process is noted by who makes them: the hosts of children with coroutine methods do, and so
can a user by `watch_loop()`.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from pydantic import Field

from actors.health.probes.place import ReadyProbe, Said, here
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.loops import LOOPS

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop


class LoopLagProbe(ReadyProbe):
    """Bad when an event loop of the process that it runs in takes too long to come to a call."""

    at_most_s: float = Field(default=0.5, gt=0, le=3600, description="So late may it be, seconds.")

    def __call__(self) -> Said:
        loops = [loop for loop in list(LOOPS) if loop.is_running()]
        if not loops:
            raise LookupError("no event loop is known here; call watch_loop() on it, or run on a child with coroutines")
        began = SYSTEM_CLOCK.now()
        until = began + min(self.at_most_s, here().timeout_s)
        waited = [_call(loop) for loop in loops]
        late = sum(not called.wait(max(0.0, until - SYSTEM_CLOCK.now())) for called in waited)
        lag_s = SYSTEM_CLOCK.now() - began
        told = f"{late} of {len(loops)} loops are late by more than" if late else f"{len(loops)} loops came within"
        return late == 0, f"{told} {lag_s:.3f} s"


def watch_loop(loop: AbstractEventLoop | None = None) -> None:
    """From now on `loop_lag()` looks at this loop, or at the running one, while it lives."""
    LOOPS.add(loop or asyncio.get_running_loop())


def _call(loop: AbstractEventLoop) -> threading.Event:
    called = threading.Event()
    try:
        loop.call_soon_threadsafe(called.set)
    except RuntimeError:  # it was closed just now
        called.set()
    return called
