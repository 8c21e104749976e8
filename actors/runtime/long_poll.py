"""The owner's waiting room: callers say what they know and wait here until there is something later.

One lock, one condition; each waiter blocks a thread of the owner's actor, so their number is bounded. Node agents wait
here, one per node, and lay what they get on their node's board; a process without a board waits here itself.
"""

from __future__ import annotations

import threading

from actors.runtime.clock import SYSTEM_CLOCK, Clock
from actors.runtime.errors import SupervisorError
from actors.runtime.replicated import OwnedState, Replica

WAITERS_MAX = 256
WAIT_S_MAX = 60.0


class LongPollFullError(SupervisorError):
    """As many callers wait as may; there was nothing newer to answer with at once.

    An error and not an early None: a caller that takes it for a time-out would ask again at once, and spin.
    """

    def __init__(self, limit: int, *, retry_after_s: float) -> None:
        self.limit = limit
        self.retry_after_s = retry_after_s
        super().__init__(
            f"{limit} callers wait for this state already; ask again in {retry_after_s:g} s. Processes of one node "
            "should share its board instead of waiting one by one"
        )


class LongPoll:
    """Publish and observe one state, from any thread.

    Args:
        state: Whose values are handed out; only this object may publish to it from now on.
        waiters_max: How many callers may wait at a time.
        clock: Where the time comes from.
    """

    def __init__(self, state: OwnedState, *, waiters_max: int = WAITERS_MAX, clock: Clock = SYSTEM_CLOCK) -> None:
        if waiters_max < 1:
            raise ValueError(f"waiters_max={waiters_max}: at least 1 caller must be able to wait")
        self._state = state
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

    @property
    def current(self) -> Replica | None:
        """The value last published."""
        return self._state.current

    def publish(self, payload: bytes) -> Replica:
        """Make `payload` the current value and wake every waiter; an unchanged one wakes nobody."""
        with self._changed:
            before = self._state.current
            replica = self._state.publish(payload)
            if replica is not before:
                self._changed.notify_all()
            return replica

    def inherit(self, replica: Replica) -> None:
        """Show a predecessor's value until this life publishes one; see `OwnedState.inherit`."""
        with self._changed:
            if self._state.inherit(replica):
                self._changed.notify_all()

    def observe(self, known_incarnation: int, known_version: int, timeout_s: float) -> Replica | None:
        """Wait for a value later than the known one.

        Args:
            known_incarnation: Of the value that the caller has; 0 when it has none.
            known_version: The same.
            timeout_s: How long to wait, seconds; at most 60 are waited, 0 or less asks and does not wait.
        Returns: The current value, at once when it is later already; None when time is out or the room was closed.
        Raises:
            LongPollFullError: Nothing later yet, and `waiters_max` callers wait already.
        """
        deadline = self._clock.now() + min(timeout_s, WAIT_S_MAX)
        with self._changed:
            newer = self._state.newer_than(known_incarnation, known_version)
            if newer is not None or timeout_s <= 0 or self._closed:
                return newer
            if self._waiters >= self._waiters_max:
                self._turned_away += 1
                raise LongPollFullError(self._waiters_max, retry_after_s=min(timeout_s, WAIT_S_MAX))
            self._waiters += 1
            try:
                return self._wait(known_incarnation, known_version, deadline)
            finally:
                self._waiters -= 1

    def close(self) -> None:
        """Send every waiter home with None, and let nobody wait any more; values are still answered."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _wait(self, incarnation: int, version: int, deadline: float) -> Replica | None:
        while True:
            newer = self._state.newer_than(incarnation, version)
            left_s = deadline - self._clock.now()
            if newer is not None or self._closed or left_s <= 0:
                return newer
            self._changed.wait(left_s)
