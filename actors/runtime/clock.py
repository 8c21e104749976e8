"""The only reader of time. Monotonic seconds decide; wall time is for people and the log."""

from __future__ import annotations

import time
from typing import Protocol

from actors.runtime.fault_counts import COUNTS
from actors.runtime.fault_points import ON, skew_of


class Clock(Protocol):
    """What a shell needs of time; tests hand in one that they move."""

    def now(self) -> float:
        """Monotonic seconds. Comparable only within one host; never sent to another process."""
        ...

    def now_ns(self) -> int:
        """Monotonic nanoseconds of the host, for leases that processes of one host share (the node's board)."""
        ...

    def wall_us(self) -> int:
        """Microseconds since the Unix epoch, UTC. For records, never for decisions."""
        ...


class SystemClock:
    """The machine's clocks. A chaos experiment may set the wall clock of one process wrong; no other clock."""

    now = staticmethod(time.monotonic)
    now_ns = staticmethod(time.monotonic_ns)

    @staticmethod
    def wall_us() -> int:
        if ON:
            return time.time_ns() // 1000 + _skew_us()
        return time.time_ns() // 1000


def _skew_us() -> int:
    skew_s, hits = skew_of(ON, now=time.monotonic())
    if hits:
        COUNTS.note(hits)
    return int(skew_s * 1e6)


SYSTEM_CLOCK: Clock = SystemClock()

sleep = time.sleep
"""Block this thread, seconds. Shells only; a machine asks for a timer instead."""
