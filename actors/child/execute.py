"""One call of a user's object: unpickle, call, pickle what came of it. Never raises for what the user's code does."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Generator, Iterator, Sequence
from contextlib import suppress
from typing import Any

from ray.exceptions import AsyncioActorExit

from actors.child.protocol import Answer, exited
from actors.runtime.errors import ChildPayloadError
from actors.runtime.fault_passing import pass_point, pass_point_soon
from actors.runtime.fault_points import CHILD_CALL, ON, RUNS
from actors.runtime.wire import dumps, loads
from actors.worker.raised import pickle_error


class LeaveChild(SystemExit):
    """What `ray.actor.exit_actor()` raises in a child: it ends the child, which may share its process with others."""


def leave_child() -> None:
    """Stands for `ray.actor.exit_actor` in the process of a child."""
    raise LeaveChild(0)


def exit_class_of(error: BaseException) -> str | None:
    """`normal` or `crash` when the error asks for the end of the child, else None."""
    if isinstance(error, AsyncioActorExit):
        return "normal"
    if isinstance(error, SystemExit):
        return "crash" if error.code else "normal"
    return None


class Calls:
    """Calls methods of one object.

    Args:
        key: The child's key, for messages.
        target: The user's object.
    """

    def __init__(self, key: str, target: object) -> None:
        self._key = key
        self._target = target

    def run(self, method: str, payload: bytes, refs: Sequence[Any]) -> Answer:
        """Call on this thread; a coroutine is run to its end here."""
        try:
            if ON:
                pass_point(CHILD_CALL, self._key, RUNS)
            value = self._begin(method, payload, refs)
            if inspect.iscoroutine(value):
                value = asyncio.run(value)
        except BaseException as error:  # noqa: BLE001 - what the user's code raises is the answer, SystemExit included
            return _failed(error)
        return self._pack(method, value)

    async def run_soon(self, method: str, payload: bytes, refs: Sequence[Any]) -> Answer:
        """Call on this event loop."""
        try:
            if ON:
                await pass_point_soon(CHILD_CALL, self._key, RUNS)
            value = self._begin(method, payload, refs)
            if isinstance(value, Awaitable):
                value = await value
        except BaseException as error:  # noqa: BLE001 - what the user's code raises is the answer, SystemExit included
            return _failed(error)
        return self._pack(method, value)

    def stream(self, method: str, payload: bytes, refs: Sequence[Any]) -> Generator[Answer]:
        """Call on this thread and give item by item; ends with an answer that is not "ok", or just ends."""
        try:
            if ON:
                pass_point(CHILD_CALL, self._key, RUNS)
            value = self._begin(method, payload, refs)
            items = iter(_iterable(method, value))
        except BaseException as error:  # noqa: BLE001 - what the user's code raises is the answer, SystemExit included
            yield _failed(error)
            return
        try:
            while True:
                try:
                    item = next(items)
                except StopIteration:
                    return
                except BaseException as error:  # noqa: BLE001 - the same
                    yield _failed(error)
                    return
                answer = self._pack(method, item)
                yield answer
                if answer[0] != "ok":
                    return
        finally:
            _close(items)

    async def stream_soon(self, method: str, payload: bytes, refs: Sequence[Any]) -> AsyncGenerator[Answer]:
        """Like `stream`, on this event loop; async generators as well as plain ones."""
        try:
            if ON:
                await pass_point_soon(CHILD_CALL, self._key, RUNS)
            value = self._begin(method, payload, refs)
            if inspect.iscoroutine(value):
                value = await value
            items = aiter(value) if isinstance(value, AsyncIterator) else _aiter(iter(_iterable(method, value)))
        except BaseException as error:  # noqa: BLE001 - what the user's code raises is the answer, SystemExit included
            yield _failed(error)
            return
        try:
            while True:
                try:
                    item = await anext(items)
                except StopAsyncIteration:
                    return
                except asyncio.CancelledError:
                    raise
                except BaseException as error:  # noqa: BLE001 - the same
                    yield _failed(error)
                    return
                answer = self._pack(method, item)
                yield answer
                if answer[0] != "ok":
                    return
        finally:
            await _aclose(items)

    def _begin(self, method: str, payload: bytes, refs: Sequence[Any]) -> Any:
        args, kwargs = loads(payload, refs)
        return getattr(self._target, method)(*args, **kwargs)

    def _pack(self, method: str, value: object) -> Answer:
        try:
            data, refs = dumps(value)
        except Exception as error:  # noqa: BLE001 - a result's __reduce__ can raise anything, and it is reported
            reason = f"{type(error).__name__}: {error}"
            if isinstance(value, Iterator | AsyncIterator):
                reason = f"it is a {type(value).__name__}: call the method as a stream"
            return _failed(ChildPayloadError(self._key, method=method, what="result", reason=reason))
        return ("ok", data, list(refs)) if refs else ("ok", data)


def _failed(error: BaseException) -> Answer:
    exit_class = exit_class_of(error)
    return ("error", pickle_error(error)) if exit_class is None else exited(exit_class)


def _iterable(method: str, value: Any) -> Any:
    if isinstance(value, Iterator):
        return value
    raise TypeError(f"{method} returned {type(value).__name__}, which is no generator or iterator: call it plainly")


async def _aiter(items: Iterator[Any]) -> AsyncIterator[Any]:
    try:
        for item in items:
            yield item
    finally:
        _close(items)


def _close(items: Any) -> None:
    close = getattr(items, "close", None)
    if close is not None:
        with suppress(Exception):
            close()


async def _aclose(items: Any) -> None:
    close = getattr(items, "aclose", None)
    if close is not None:
        with suppress(Exception):
            await close()
