"""Where the user's code of one child runs: on the actor's own thread, on a thread of its own, or on an event loop."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

from actors.child.hooks import finish_soon
from actors.runtime.loops import LOOPS
from actors.runtime.replies import when_answered

STREAM_AHEAD = 64
"""Items of a stream that are made before anybody has taken them."""


class PlaceClosedError(Exception):
    """The child that lived there has ended."""


class UserPlace(Protocol):
    """Where the user's code of one child runs."""

    def submit(self, work: Callable[[], Any]) -> Future[Any]:
        """Run `work` there, behind what came before; what it returns is awaited there if it can be.

        Raises:
            PlaceClosedError: The child that lived there has ended.
        """
        ...

    async def reach(self, work: Callable[[], Any]) -> Any:
        """Like `submit`, awaited by any event loop of this process."""
        ...

    def items(self, make: Callable[[], Any]) -> AsyncGenerator[Any]:
        """Iterate there over what `make` returns, for any event loop of this process."""
        ...

    def close(self) -> None:
        """Nothing more will be submitted; what was is finished."""
        ...


class ActorThread:
    """The thread on which Ray runs the methods of a threaded actor's default group.

    Args:
        knock: Has `run_next` called on that thread, and returns the reference of that call.
    """

    def __init__(self, knock: Callable[[], Any]) -> None:
        self._knock = knock
        self._errands: deque[tuple[Callable[[], Any], Future[Any]]] = deque()

    def submit(self, work: Callable[[], Any]) -> Future[Any]:
        done: Future[Any] = Future()
        self._errands.append((work, done))
        when_answered(self._knock(), partial(_fail_unless_done, done))
        return done

    async def reach(self, work: Callable[[], Any]) -> Any:
        return await asyncio.wrap_future(self.submit(work))

    def items(self, make: Callable[[], Any]) -> AsyncGenerator[Any]:
        """Calls of this place come on its thread already."""
        raise NotImplementedError

    def run_next(self) -> None:
        """Run what was submitted first; called once for each."""
        work, done = self._errands.popleft()
        try:
            value = work()
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is waited for
            done.set_exception(error)
        else:
            done.set_result(value)

    def close(self) -> None:
        """The thread is Ray's."""


class OwnThread:
    """A thread of the child's own, or several where it asked for that.

    Args:
        name: For whoever looks at the process.
        threads: How many.
    """

    def __init__(self, name: str, threads: int = 1) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)

    def submit(self, work: Callable[[], Any]) -> Future[Any]:
        try:
            return self._pool.submit(work)
        except RuntimeError as error:
            raise PlaceClosedError from error

    async def reach(self, work: Callable[[], Any]) -> Any:
        """A call that was let in runs to its end, even if its caller gives up."""
        return await asyncio.shield(asyncio.wrap_future(self.submit(work)))

    async def items(self, make: Callable[[], Iterator[Any]]) -> AsyncGenerator[Any]:
        loop = asyncio.get_running_loop()
        made: asyncio.Queue[tuple[Any] | None] = asyncio.Queue()
        room, gone = threading.Semaphore(STREAM_AHEAD), threading.Event()

        def pump() -> None:
            items = make()
            for item in items:
                room.acquire()
                if gone.is_set():
                    break
                loop.call_soon_threadsafe(made.put_nowait, (item,))
            items.close()  # pyright: ignore[reportAttributeAccessIssue] - it is a generator

        self.submit(pump).add_done_callback(lambda _: loop.call_soon_threadsafe(made.put_nowait, None))
        try:
            while (item := await made.get()) is not None:
                room.release()
                yield item[0]
        finally:
            gone.set()
            room.release()

    def close(self) -> None:
        self._pool.shutdown(wait=False)


class Loop:
    """An event loop that runs already: that of Ray's default group, or one of the child's own.

    Args:
        loop: The loop.
        owned: Whether it ends with the child.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, *, owned: bool) -> None:
        self.loop = loop
        LOOPS.add(loop)
        self._owned = owned
        self._lock = threading.Lock()
        self._unfinished = 0
        self._is_closing = False

    @classmethod
    def start(cls, name: str) -> Loop:
        """A loop of the child's own, on a thread of its own."""
        loop = asyncio.new_event_loop()
        threading.Thread(target=loop.run_forever, name=name, daemon=True).start()
        return cls(loop, owned=True)

    def submit(self, work: Callable[[], Any]) -> Future[Any]:
        with self._lock:
            if self._is_closing:
                raise PlaceClosedError
            self._unfinished += 1
        called = _called(work)
        try:
            done = asyncio.run_coroutine_threadsafe(called, self.loop)
        except RuntimeError as error:  # Ray has closed it: the process is ending
            called.close()
            raise PlaceClosedError from error
        done.add_done_callback(self._note_done)
        return done

    async def reach(self, work: Callable[[], Any]) -> Any:
        if asyncio.get_running_loop() is self.loop:
            return await finish_soon(work())
        return await asyncio.wrap_future(self.submit(work))

    async def items(self, make: Callable[[], AsyncIterator[Any]]) -> AsyncGenerator[Any]:
        items: Any = make()
        if asyncio.get_running_loop() is self.loop:
            try:
                async for item in items:
                    yield item
            finally:
                await items.aclose()
            return
        try:
            while True:
                try:
                    item = await self.reach(partial(anext, items))
                except StopAsyncIteration:
                    return
                yield item
        finally:
            with suppress(PlaceClosedError):
                self.submit(items.aclose)

    def close(self) -> None:
        """End the loop, if it is the child's own, once what was submitted is done."""
        with self._lock:
            is_first, self._is_closing = not self._is_closing and self._owned, self._owned
            is_idle = self._unfinished == 0
        if is_first and is_idle:
            self.loop.call_soon_threadsafe(self.loop.stop)

    def _note_done(self, _: Future[Any]) -> None:
        with self._lock:
            self._unfinished -= 1
            is_last = self._is_closing and self._unfinished == 0
        if is_last:
            self.loop.call_soon_threadsafe(self.loop.stop)


async def _called(work: Callable[[], Any]) -> Any:
    value = work()
    return await value if isinstance(value, Awaitable) else value


def _fail_unless_done(done: Future[Any], reply: object) -> None:
    """The actor could not be reached from within: it is ending."""
    if isinstance(reply, BaseException) and not done.done():
        done.set_exception(reply)
