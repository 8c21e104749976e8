"""From what a worker sent to what a future holds."""

from __future__ import annotations

import pickle
from concurrent.futures import InvalidStateError
from typing import Any

from actors.runtime.errors import SupervisorError, TaskPayloadError
from actors.runtime.wire import loads
from supervisor.tasks.future import TaskFuture
from supervisor.tasks.task import Outcome, Task


def resolve(task: Task, outcome: Outcome) -> None:
    """Give the future its result or its exception; a cancelled one stays cancelled, also when that happens just now."""
    future: TaskFuture[Any] = task.future
    future.attempts = task.attempt
    try:
        if future.cancelled():
            pass
        elif outcome.kind != "done":
            future.set_exception(outcome.error if outcome.error is not None else SupervisorError(outcome.kind))
        else:
            _resolve_done(task, outcome)
    except InvalidStateError:  # `contextlib.suppress` costs 0.4 us, and this runs for every task
        pass
    future.task = future.answer = None


def _resolve_done(task: Task, outcome: Outcome) -> None:
    try:
        value = loads(outcome.payload, outcome.refs)
    except BaseException as error:  # noqa: BLE001 - unpickling runs users' code; whatever it raises belongs to this task
        task.future.set_exception(TaskPayloadError(task.task_id, what="result", reason=text_of(error)))
    else:
        task.future.set_result(value)


def decode_error(data: bytes) -> BaseException:
    """The exception that a worker sent."""
    try:
        error = pickle.loads(data)  # noqa: S301 - our own worker made it
    except Exception as failure:  # noqa: BLE001 - a user's exception can fail to load in any way; its text is kept
        return SupervisorError(f"the task raised an exception that does not load here ({text_of(failure)})")
    return error if isinstance(error, BaseException) else SupervisorError(repr(error))


def text_of(error: BaseException) -> str:
    """Type and message of an exception, for a sentence about it."""
    return f"{type(error).__name__}: {error}"
