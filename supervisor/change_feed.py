"""The leader's side of notifications: subscribers say what they know and wait here until there is something later.

Each waiter blocks a thread of the leader's actor, so their number is bounded.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from actors.runtime.clock import SYSTEM_CLOCK, Clock
from actors.runtime.long_poll import WAIT_S_MAX, LongPollFullError
from supervisor.changes import CAPACITY, ChangeBatch, ChangeRing, ChildChange

CHANGES_THREADS = 32
"""Threads of a leader's actor for those who wait for changes."""

WAITERS_MAX = CHANGES_THREADS - 1
"""How many may wait; one thread stays free to say so to the others, who would be held in Ray's queue without a word."""


class ChangeFeed:
    """Append and read changes, from any thread.

    Args:
        incarnation: Of the leader.
        capacity: How many changes are held for those who come late.
        waiters_max: How many callers may wait at a time; no more than the actor has threads for them.
        clock: Where the time comes from.
    """

    def __init__(
        self,
        incarnation: int,
        *,
        capacity: int = CAPACITY,
        waiters_max: int = WAITERS_MAX,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if waiters_max < 1:
            raise ValueError(f"waiters_max={waiters_max}: at least 1 caller must be able to wait")
        self._ring = ChangeRing(incarnation, capacity=capacity)
        self._waiters_max = waiters_max
        self._clock = clock
        self._changed = threading.Condition()
        self._waiters = 0
        self._turned_away = 0
        self._closed = False

    @property
    def waiters(self) -> int:
        """How many callers wait now."""
        return self._waiters

    @property
    def turned_away(self) -> int:
        """How many callers met a full room so far."""
        return self._turned_away

    def begin(self, states: Iterable[ChildChange]) -> None:
        """Tell every child that this leader took over (none, if it is the first); nobody is answered before."""
        with self._changed:
            self._ring.begin(states)
            self._changed.notify_all()

    def append(self, change: ChildChange) -> None:
        """Announce a change; it returns at once."""
        with self._changed:
            self._ring.append(change)
            self._changed.notify_all()

    def changes(self, known_incarnation: int, known_seq: int, timeout_s: float) -> ChangeBatch | None:
        """Wait for what comes after the known change.

        Args:
            known_incarnation: The leader that the caller knows; 0 when it knows nothing.
            known_seq: The change of it that the caller knows last.
            timeout_s: How long to wait, seconds; at most 60 are waited, 0 or less asks and does not wait.
        Returns: At once when there is something; None when time is out or the room was closed.
        Raises:
            LongPollFullError: There is nothing yet, and `waiters_max` callers wait already.
        """
        deadline = self._clock.now() + min(timeout_s, WAIT_S_MAX)
        with self._changed:
            found = self._ring.read(known_incarnation, known_seq)
            if found is not None or timeout_s <= 0 or self._closed:
                return found
            if self._waiters >= self._waiters_max:
                self._turned_away += 1
                raise LongPollFullError(self._waiters_max, retry_after_s=min(timeout_s, WAIT_S_MAX))
            self._waiters += 1
            try:
                return self._wait(known_incarnation, known_seq, deadline)
            finally:
                self._waiters -= 1

    def close(self) -> None:
        """Send every waiter home with None, and let nobody wait any more; changes are still answered."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _wait(self, incarnation: int, seq: int, deadline: float) -> ChangeBatch | None:
        while True:
            found = self._ring.read(incarnation, seq)
            left_s = deadline - self._clock.now()
            if found is not None or self._closed or left_s <= 0:
                return found
            self._changed.wait(left_s)
