"""How many calls each fault has acted on in this process, counted by the points themselves and not by injectors.

A count can be read while its fault is on and for `READABLE_S` after, so that whoever asks late is told the truth.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass

READABLE_S = 60.0
"""How long a count stays after its fault's end, seconds."""

COUNTS_MAX = 1_000
"""Counts kept in one process; beyond it those leave that were put first."""


@dataclass(slots=True)
class _Count:
    readable_until: float
    acted: int = 0


class FaultCounts:
    """The counts of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, _Count] = {}

    def begin(self, fault_id: str, until: float) -> None:
        """A fault is put, or put again: its count goes on.

        Args:
            fault_id: Which.
            until: When it is over, monotonic seconds.
        """
        with self._lock:
            count = self._counts.setdefault(fault_id, _Count(0.0))
            count.readable_until = until + READABLE_S
            while len(self._counts) > COUNTS_MAX:
                del self._counts[next(iter(self._counts))]

    def end(self, fault_id: str, now: float) -> None:
        """A fault is taken off before its end."""
        with self._lock:
            count = self._counts.get(fault_id)
            if count is not None:
                count.readable_until = min(count.readable_until, now + READABLE_S)

    def note(self, fault_ids: Iterable[str]) -> None:
        """They have acted on a call."""
        with self._lock:
            for fault_id in fault_ids:
                count = self._counts.get(fault_id)
                if count is not None:
                    count.acted += 1

    def seen(self, now: float) -> dict[str, int]:
        """How many calls each has acted on; those are forgotten whose time is over."""
        with self._lock:
            over = [fault_id for fault_id, count in self._counts.items() if count.readable_until <= now]
            for fault_id in over:
                del self._counts[fault_id]
            return {fault_id: count.acted for fault_id, count in self._counts.items()}


COUNTS = FaultCounts()
"""Those of this process."""
