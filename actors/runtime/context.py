"""What a running task knows about itself, and how code below it learns of it."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TaskContext:
    """The task that is running here.

    Attributes:
        task_id: Its id, the same on every attempt.
        key: Its idempotency key, or None: hand it to whatever applies the effect.
        attempt: 1 on the first run.
        remaining_s: Seconds left until its deadline when the attempt was sent, or None without one.
        trace_id: W3C trace id, an integer.
        span_id: The attempt's span id, an integer.
    """

    task_id: str
    key: str | None
    attempt: int
    remaining_s: float | None
    trace_id: int
    span_id: int


CURRENT: ContextVar[TaskContext | None] = ContextVar("supervisor_task", default=None)

DEADLINE: ContextVar[float | None] = ContextVar("supervisor_deadline", default=None)

LIMIT: ContextVar[float | None] = ContextVar("supervisor_limit", default=None)
"""When the attempt that runs here is ended because it took too long, monotonic seconds."""
"""When the running task's time is up, on this process's monotonic clock: what it submits inherits the rest."""


def current_task() -> TaskContext | None:
    """The task that this code runs in, or None outside of one."""
    return CURRENT.get()
