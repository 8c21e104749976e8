"""A subscriber's side of incidents: an iterable of changes that goes on over every life of the coordinator."""

from __future__ import annotations

import asyncio
import pickle
import threading
from collections import deque
from typing import TYPE_CHECKING, Self

from actors.healer.phases import PHASES, news

if TYPE_CHECKING:
    from types import TracebackType

    from actors.healer.phases import IncidentChange
    from actors.runtime.replicated import Replica
    from actors.service.client import ServiceClient

_LOOK_S = 0.5
READY_MAX = 10_000
"""Changes that wait for who iterates; the oldest give way, and are counted as missed."""


class IncidentSubscription:
    """Iterates over changes of incidents' phases, sync or async. It begins with what happens after it was made.

    Attributes:
        missed: Changes that gave way before they were taken.
    """

    def __init__(self, client: ServiceClient) -> None:
        self._client = client
        self._changed = threading.Condition()
        self._ready: deque[IncidentChange] = deque()
        self._seen: tuple[int, int] | None = None
        self._closed = False
        self.missed = 0
        self._follower = client.follow(PHASES, self._on_change)
        with self._changed:
            if self._seen is None:
                self._seen = (0, 0)

    def _on_change(self, replica: Replica) -> None:
        laid = pickle.loads(replica.payload)  # noqa: S301 - our own coordinator laid it
        with self._changed:
            found = [] if self._seen is None else news(laid, self._seen)
            self._seen = laid[-1][:2] if laid else self._seen
            self._ready += found
            while len(self._ready) > READY_MAX:
                self._ready.popleft()
                self.missed += 1
            self._changed.notify_all()

    def next(self, timeout_s: float) -> IncidentChange | None:
        """The next change; None when `timeout_s` seconds have passed without one, or it was closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._closed, timeout_s)
            return self._ready.popleft() if self._ready else None

    def close(self) -> None:
        """End every iteration."""
        self._client.unfollow(self._follower)
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> IncidentChange:
        while not self._closed:
            change = self.next(_LOOK_S)
            if change is not None:
                return change
        raise StopIteration

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> IncidentChange:
        while not self._closed:
            change = await asyncio.to_thread(self.next, _LOOK_S)
            if change is not None:
                return change
        raise StopAsyncIteration

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
