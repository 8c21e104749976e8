"""A `concurrent.futures.Future` that can also be awaited, and costs little until somebody waits: of tasks and of calls.

A caller may hold a hundred thousand of them, and most end before anybody waits. The base class gives each a condition
and two lists at once, which costs 3 us and, worse, keeps the garbage collector busy for a third of the time. Here they
come into being when somebody waits, adds a callback or cancels; until then a result is stored under one lock for all.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from concurrent.futures import Future, InvalidStateError
from concurrent.futures._base import CANCELLED, CANCELLED_AND_NOTIFIED, FINISHED, PENDING
from typing import Any, TypeVar

from actors.runtime.replies import Awaited
from actors.worker.slot import HELD, waiting_for_others

T = TypeVar("T")

_UNWATCHED = threading.Lock()
"""Guards the futures that nobody has looked at: taken for a few assignments, never while waiting."""


FETCH_S = 0.004
"""How long a waiting thread fetches the answer itself, seconds: meanwhile it hears of nothing else, such as a fenced
worker whose task runs elsewhere."""


class AnswerFuture(Future[T]):
    """The result of something that runs elsewhere, when it is there."""

    def __init__(self) -> None:
        # Not the base's: it would make the condition and the lists. Its other attributes are these three.
        self._state = PENDING
        self._result: Any = None
        self._exception: BaseException | None = None
        self._watched: _Watched | None = None
        self.answer: Awaited | None = None

    def _watch(self) -> _Watched:
        watched = self._watched
        if watched is None:
            answer = self.answer
            if answer is not None:
                answer.listen()
            with _UNWATCHED:
                watched = self._watched
                if watched is None:
                    watched = self._watched = _Watched()
        return watched

    @property
    def _condition(self) -> threading.Condition:  # pyright: ignore[reportIncompatibleVariableOverride] - made when needed
        return self._watch().condition

    @property
    def _waiters(self) -> list[Any]:  # pyright: ignore[reportIncompatibleVariableOverride] - made when needed
        return self._watch().waiters

    @property
    def _done_callbacks(self) -> list[Any]:
        return self._watch().callbacks

    def set_result(self, result: T) -> None:
        """Called by whoever asked for the answer."""
        if not self._end_unwatched(result, None):
            super().set_result(result)

    def set_exception(self, exception: BaseException | None) -> None:
        """Called by whoever asked for the answer."""
        if not self._end_unwatched(None, exception):
            super().set_exception(exception)

    def _end_unwatched(self, result: Any, exception: BaseException | None) -> bool:
        """End a future that nobody looks at; False when somebody does, and must be told."""
        with _UNWATCHED:
            if self._watched is not None:
                return False
            state = self._state
            if state == PENDING:
                self._result, self._exception, self._state = result, exception, FINISHED
        if state != PENDING:  # said outside the lock: the text of a future makes it watched, which takes the lock
            raise InvalidStateError(f"{state}: {self!r}")
        return True

    def done(self) -> bool:
        """Whether it has a result, an exception, or was cancelled."""
        return self._state in _ENDED

    def cancelled(self) -> bool:
        """Whether it was given up."""
        return self._state in _CANCELLED

    def cancel(self) -> bool:
        """Give the answer up: it is dropped, and what has not been started is not started any more.

        What already runs is not stopped.
        """
        if not super().cancel():
            return False
        with self._condition:
            is_first = self._state == CANCELLED
            if is_first:
                self.set_running_or_notify_cancel()
        if is_first:
            self._was_cancelled()
        return True

    def _was_cancelled(self) -> None:
        """Called once, when the answer was given up."""

    def result(self, timeout: float | None = None) -> T:
        """The result, or its exception raised; waiting inside a task gives that one's slot back.

        Raises:
            TimeoutError: `timeout` seconds went by; what was asked for goes on.
        """
        if self._state != FINISHED:
            self._fetch(timeout)
        if self._state == FINISHED and self._exception is None:
            return self._result
        if HELD.get() is None or self._state == FINISHED:
            return super().result(timeout)
        with waiting_for_others():
            return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """The exception, or None; waits like `result`."""
        self._fetch(timeout)
        if HELD.get() is None or self._state == FINISHED:
            return super().exception(timeout)
        with waiting_for_others():
            return super().exception(timeout)

    def _fetch(self, timeout: float | None) -> None:
        """Get the answer on this thread, if it was the last to ask and its question travelled alone."""
        answer = self.answer
        if answer is not None and HELD.get() is None:
            answer.fetch(FETCH_S if timeout is None else min(FETCH_S, timeout))

    def __await__(self) -> Generator[Any, None, T]:
        import asyncio  # noqa: PLC0415 - 30 ms that only those who await need

        if HELD.get() is None:
            return asyncio.wrap_future(self).__await__()
        return self._await_inside_task().__await__()

    async def _await_inside_task(self) -> T:
        import asyncio  # noqa: PLC0415 - as above

        with waiting_for_others():
            return await asyncio.wrap_future(self)


class _Watched:
    """What the base class needs of a future that somebody looks at."""

    __slots__ = ("callbacks", "condition", "waiters")

    def __init__(self) -> None:
        self.condition = threading.Condition()
        self.waiters: list[Any] = []
        self.callbacks: list[Any] = []


_CANCELLED = (CANCELLED, CANCELLED_AND_NOTIFIED)
_ENDED = (*_CANCELLED, FINISHED)
