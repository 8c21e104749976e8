"""What a dispatcher and a worker say to each other: plain tuples, since each task pays for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

OK = 0
RAISED = 1
TIMED_OUT = 2
NEEDS_FUNCTION = 3
CANNOT_TRAVEL = 4
CANNOT_LOAD = 5

NOT_BEGUN = b"its deadline passed before it began"
"""With TIMED_OUT: nothing of the task ran."""


class Entry(NamedTuple):
    """One task of a batch.

    Attributes:
        number: The dispatcher's number of the task.
        digest: The function's.
        arguments: Pickled `(args, kwargs)`.
        refs: ObjectRefs of the arguments: positions `first, count` in the batch's list.
        timeout_s: Limit of the code's run time, or None.
        context: `(task_id, key, attempt, remaining_s, trace_id, span_id)`.
    """

    number: int
    digest: bytes
    arguments: bytes
    refs: tuple[int, int] | None
    timeout_s: float | None
    context: tuple[str, str | None, int, float | None, int, int]


class Result(NamedTuple):
    """What became of one task.

    Attributes:
        code: One of the constants above.
        payload: The pickled result (OK), pickled exception (RAISED), or a text that says why (the others).
        run_us: How long the user's code ran, microseconds.
        refs: Positions of the result's ObjectRefs, or None.
    """

    number: int
    code: int
    payload: bytes
    run_us: int
    refs: tuple[int, int] | None


WireEntry = tuple[
    int, bytes, bytes, tuple[int, int] | None, float | None, tuple[str, str | None, int, float | None, int, int]
]
"""An `Entry` as it travels: a named tuple costs three times as much to pickle."""

WireResult = tuple[int, int, bytes, int, tuple[int, int] | None]
"""A `Result` as it travels."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A batch at one moment.

    Attributes:
        results: Those that ended since the last report.
        refs: The ObjectRefs that `results` point into.
        withdrawn: Numbers of tasks that had not started and will not run here.
        running: The number of the task that runs, or None.
        running_s: How long it has been running, seconds.
        blocked: Whether it waits for another task and gave its slot back.
        waiting: The batch has not got a slot yet.
        yielding: The running task is a coroutine, which ends by itself at its limit.
    """

    results: list[WireResult]
    refs: list[Any]
    withdrawn: tuple[int, ...]
    running: int | None
    running_s: float
    blocked: bool
    waiting: bool
    yielding: bool = False
