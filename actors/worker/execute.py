"""Run one task of a batch: unpickle, call, pickle what came of it. Never raises for what the user's code does."""

from __future__ import annotations

import asyncio
import inspect
import pickle
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from actors.runtime.context import CURRENT, DEADLINE, LIMIT, TaskContext
from actors.runtime.fault_passing import pass_point
from actors.runtime.fault_points import CHILD_CALL, ON, RUNS
from actors.runtime.wire import dumps, loads
from actors.telemetry.context import attached
from actors.worker.protocol import CANNOT_LOAD, CANNOT_TRAVEL, NEEDS_FUNCTION, OK, RAISED, TIMED_OUT, Entry, Result
from actors.worker.raised import pickle_error

if TYPE_CHECKING:
    from actors.runtime.clock import Clock

FUNCTIONS_KEPT = 1024


class FunctionCache:
    """Unpickled functions by digest; the least recently used leaves first, and is sent again when it is needed."""

    def __init__(self, limit: int = FUNCTIONS_KEPT) -> None:
        self._limit = limit
        self._pickled: OrderedDict[bytes, bytes] = OrderedDict()
        self._loaded: dict[bytes, Callable[..., Any]] = {}
        self._lock = threading.Lock()

    def add(self, functions: dict[bytes, bytes]) -> None:
        """Keep pickled functions; each is unpickled at its first use."""
        with self._lock:
            self._pickled.update(functions)
            while len(self._pickled) > self._limit:
                digest, _ = self._pickled.popitem(last=False)
                self._loaded.pop(digest, None)

    def load(self, digests: Iterable[bytes]) -> None:
        """Unpickle functions ahead of their first use; one that cannot be is told when a task needs it."""
        for digest in digests:
            with suppress(Exception):
                self.get(digest)

    def get(self, digest: bytes) -> Callable[..., Any] | None:
        """The function, or None when it is not known here.

        Raises: whatever unpickling raises, for example ModuleNotFoundError.
        """
        fn = self._loaded.get(digest)
        if fn is not None:
            return fn
        data = self._pickled.get(digest)
        if data is None:
            return None
        fn = pickle.loads(data)  # noqa: S301 - Ray itself carries pickles between these same processes
        with self._lock:
            if digest in self._pickled:
                self._loaded[digest] = fn
        return fn


class Executor:
    """Runs entries on the calling thread.

    Args:
        functions: Those that tasks call here.
        clock: Where the time comes from.
        subject: Whose tasks these are at the fault point, as `worker/<name>`.
    """

    def __init__(self, functions: FunctionCache, clock: Clock, subject: str) -> None:
        self._functions = functions
        self._clock = clock
        self._subject = subject

    def run(
        self, entry: Entry, batch_refs: Sequence[Any], yielding: Callable[[], None] = lambda: None
    ) -> tuple[Result, Sequence[Any]]:
        """The result of one task, and the ObjectRefs in it.

        Args:
            entry: The task.
            batch_refs: The ObjectRefs of its batch.
            yielding: Called when the task turns out to be a coroutine, which ends by itself at its limit.
        """
        try:
            fn = self._functions.get(entry.digest)
            if fn is None:
                return _ended(entry, NEEDS_FUNCTION), ()
            refs = batch_refs[entry.refs[0] : entry.refs[0] + entry.refs[1]] if entry.refs is not None else ()
            args, kwargs = loads(entry.arguments, refs)
        except BaseException as error:  # noqa: BLE001 - importing a user's module can raise anything, and it is reported
            return _ended(entry, CANNOT_LOAD, _reason(error)), ()
        context = TaskContext(*entry.context)
        started = self._clock.now()
        token = CURRENT.set(context)
        deadline = DEADLINE.set(None if context.remaining_s is None else started + context.remaining_s)
        limit = LIMIT.set(None if entry.timeout_s is None else started + entry.timeout_s)
        try:
            with attached(context.trace_id, context.span_id):
                if ON:
                    pass_point(CHILD_CALL, self._subject, RUNS)
                value = fn(*args, **kwargs)
                if inspect.iscoroutine(value):
                    yielding()
                    value = asyncio.run(_limited(value, entry.timeout_s))
        except BaseException as error:  # noqa: BLE001 - what the user's code raises is its outcome, SystemExit included
            run_us = self._elapsed_us(started)
            if isinstance(error, _LimitPassedError):
                return _ended(entry, TIMED_OUT, run_us=run_us), ()
            return Result(entry.number, RAISED, pickle_error(error), run_us, None), ()
        finally:
            CURRENT.reset(token)
            DEADLINE.reset(deadline)
            LIMIT.reset(limit)
        return self._pack(entry, value, self._elapsed_us(started))

    def _elapsed_us(self, started: float) -> int:
        return int((self._clock.now() - started) * 1e6)

    def _pack(self, entry: Entry, value: object, run_us: int) -> tuple[Result, Sequence[Any]]:
        try:
            data, refs = dumps(value)
        except Exception as error:  # noqa: BLE001 - a result's __reduce__ can raise anything, and it is reported
            return _ended(entry, CANNOT_TRAVEL, _reason(error), run_us), ()
        return Result(entry.number, OK, data, run_us, None), refs


class _LimitPassedError(Exception):
    """A coroutine was cancelled because it passed its limit."""


async def _limited(coroutine: Any, timeout_s: float | None) -> Any:
    if timeout_s is None:
        return await coroutine
    limit = asyncio.timeout(timeout_s)
    try:
        async with limit:
            return await coroutine
    except TimeoutError:
        if limit.expired():
            raise _LimitPassedError from None
        raise


def _ended(entry: Entry, code: int, reason: str = "", run_us: int = 0) -> Result:
    return Result(entry.number, code, reason.encode(), run_us, None)


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
