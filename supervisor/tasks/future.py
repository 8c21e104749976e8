"""What `submit` returns: the result of a task, when it is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from supervisor.answer import AnswerFuture

T = TypeVar("T")


class TaskFuture(AnswerFuture[T]):
    """The result of a task, when it is there.

    Attributes:
        task_id: The task's id in the log, the same on every attempt.
        key: Its idempotency key, or None.
        trace_id: Its W3C trace id, 32 hexadecimal digits.
        attempts: How often it was sent to a worker; final when the future is done.
    """

    def __init__(self, task_id: str, key: str | None, trace: int, cancel: Callable[[TaskFuture[Any]], None]) -> None:
        super().__init__()
        self.task_id = task_id
        self.key = key
        self.attempts = 0
        self._trace = trace
        self._cancel_task = cancel
        self.task: Any = None

    @property
    def trace_id(self) -> str:
        return f"{self._trace:032x}"

    def cancel(self) -> bool:
        """Give the task up: its result is dropped, and it is not started if it has not been.

        What already runs is not stopped: use `timeout_s` for that.
        """
        return super().cancel()

    def _was_cancelled(self) -> None:
        self._cancel_task(self)
