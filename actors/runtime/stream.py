"""What happens as one process sees it, for whoever subscribes, in threads or in coroutines."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from types import TracebackType
from typing import Generic, Self, TypeVar

E = TypeVar("E")

WAITING_MAX = 1000


class EventStream(Generic[E]):
    """Iterates over what happens, sync or async: `for change in ...`, `async for change in ...`, until it is closed.

    It begins with what happens after it was made. `WAITING_MAX` events wait for who iterates; older ones leave for
    newer ones, and `missed` counts them. Several may iterate; each event goes to one of them.
    """

    def __init__(self) -> None:
        self.missed = 0
        self._waiting: deque[E] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._wakers: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []

    @property
    def closed(self) -> bool:
        """Whether it has ended."""
        return self._closed

    def put(self, event: E) -> None:
        """Something happened; from any thread, never waits."""
        with self._changed:
            if self._closed:
                return
            self._waiting.append(event)
            if len(self._waiting) > WAITING_MAX:
                self._waiting.popleft()
                self.missed += 1
            self._wake()

    def next(self, timeout_s: float) -> E | None:
        """The next event; None when `timeout_s` seconds have passed without one, or it was closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed, timeout_s)
            return self._waiting.popleft() if self._waiting else None

    def close(self) -> None:
        """End every iteration, and let go of what waits; a second call does nothing."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._wake()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> E:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if self._waiting:
                return self._waiting.popleft()
        raise StopIteration

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> E:
        loop = asyncio.get_running_loop()
        while True:
            with self._changed:
                if self._waiting:
                    return self._waiting.popleft()
                if self._closed:
                    raise StopAsyncIteration
                woken: asyncio.Future[None] = loop.create_future()
                self._wakers.append((loop, woken))
            try:
                await woken
            finally:
                with self._changed:
                    self._wakers = [each for each in self._wakers if each[1] is not woken]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _wake(self) -> None:
        self._changed.notify_all()
        for loop, woken in self._wakers:
            if not loop.is_closed():
                loop.call_soon_threadsafe(_finish, woken)
        self._wakers.clear()


def _finish(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)
