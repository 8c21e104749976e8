"""A subscriber's side of notifications: an iterable of changes that goes on over every change of the leader."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from actors.runtime.clock import SYSTEM_CLOCK, Clock
from actors.runtime.long_poll import LongPollFullError
from supervisor.changes import ChangeBatch, ChangeFollower, ChildChange

ReadChanges = Callable[[int, int, float], ChangeBatch | None]
"""Asks whoever leads: (known incarnation, known change, timeout in seconds). None: nothing came, or nobody leads."""

POLL_S = 1.0
_PAUSE_S = 0.05


class Subscription:
    """Iterates over changes of children's states, sync or async: `for change in ...`, `async for change in ...`.

    It begins with what happens after it was made, and ends when it is closed or the supervisor has ended. What happens
    while nobody iterates waits at the leader, in a ring of 10,000 changes; `missed` counts what fell out of it. After a
    loss, and when the leader changes, what differs from the state known before is told by synthesised changes.

    Several threads or coroutines may iterate; each change goes to one of them.

    Args:
        read: The way to the leader. It waits for as long as it is told, and answers None while nobody leads.
        keys: The children to report, as `child/shop.cart` or `shop.cart`; None reports all.
        kinds: The events to report, as `died`; None reports all.
        over: Whether the supervisor has ended; asked when nothing has come.
        poll_s: How long the leader is asked to wait, and so how long `close` may take to end an iteration, seconds.
        clock: Where the time comes from.
    Raises:
        ConfigError: A kind is none.
    """

    def __init__(
        self,
        read: ReadChanges,
        *,
        keys: Collection[str] | None = None,
        kinds: Collection[str] | None = None,
        over: Callable[[], bool] = lambda: False,
        poll_s: float = POLL_S,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._read = read
        self._follower = ChangeFollower(keys=keys, kinds=kinds)
        self._over = over
        self._poll_s = poll_s
        self._clock = clock
        self._ready: deque[ChildChange] = deque()
        self._fetching = threading.Lock()
        self._closed = threading.Event()
        # A thread of its own: those that the loop shares would be used up by subscribers who only wait.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="supervisor-subscription")

    @property
    def missed(self) -> int:
        """How many changes were lost because the iteration was too slow for the leader's ring."""
        return self._follower.missed

    @property
    def closed(self) -> bool:
        """Whether it has ended."""
        return self._closed.is_set()

    def prime(self, timeout_s: float) -> bool:
        """Learn the present states, so that every later change is reported.

        Args:
            timeout_s: How long to wait for a leader, seconds.
        Returns: False when time ran out; then it begins with the first answer of a leader.
        """
        give_up_at = self._clock.now() + timeout_s
        while self._follower.known == (0, 0) and not self.closed:
            left_s = give_up_at - self._clock.now()
            if left_s <= 0:
                return False
            self._fetch(min(left_s, self._poll_s))
        return self._follower.known != (0, 0)

    def next(self, timeout_s: float) -> ChildChange | None:
        """The next change; None when `timeout_s` seconds have passed without one, or it was closed."""
        give_up_at = self._clock.now() + timeout_s
        while not self.closed:
            change = self._take()
            left_s = give_up_at - self._clock.now()
            if change is not None or left_s <= 0:
                return change
            self._fetch(min(left_s, self._poll_s))
        return None

    def close(self) -> None:
        """End every iteration: those that wait end within `poll_s`. A second call does nothing."""
        self._closed.set()
        self._thread.shutdown(wait=False)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> ChildChange:
        while not self.closed:
            change = self._take()
            if change is not None:
                return change
            self._fetch(self._poll_s)
        raise StopIteration

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ChildChange:
        while not self.closed:
            change = self._take()
            if change is not None:
                return change
            try:
                fetched = asyncio.get_running_loop().run_in_executor(self._thread, self._fetch, self._poll_s)
            except RuntimeError:
                break  # closed at this moment
            await fetched
        raise StopAsyncIteration

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _take(self) -> ChildChange | None:
        try:
            return self._ready.popleft()
        except IndexError:
            return None

    def _fetch(self, timeout_s: float) -> None:
        """Ask the leader once. What is fetched is kept, so an iteration that was cancelled meanwhile loses nothing."""
        if not self._fetching.acquire(timeout=timeout_s):
            return
        try:
            if not self._ready and not self.closed:  # else another iteration was faster
                self._ask(timeout_s)
        finally:
            self._fetching.release()

    def _ask(self, timeout_s: float) -> None:
        began = self._clock.now()
        try:
            came = self._receive(timeout_s)
        except LongPollFullError as error:
            self._closed.wait(min(error.retry_after_s, timeout_s))
            return
        if came:
            return
        if self._over():
            if not self._receive(0.0):  # it may have told its last changes just before it ended
                self.close()
        elif self._clock.now() - began < timeout_s / 2:
            self._closed.wait(min(_PAUSE_S, timeout_s))  # nobody leads at this moment

    def _receive(self, timeout_s: float) -> bool:
        batch = self._read(*self._follower.known, timeout_s)
        if batch is None:
            return False
        self._ready.extend(self._follower.take(batch))
        return True
