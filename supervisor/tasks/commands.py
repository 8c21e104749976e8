"""What the dispatch machine wants done. The dispatcher carries them out in the order given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supervisor.tasks.crew import Batch
    from supervisor.tasks.task import Outcome, Task


@dataclass(frozen=True, slots=True)
class SendBatch:
    """Send the batch to its worker. `entries` pairs each task with its limit in seconds and its remaining seconds."""

    batch: Batch
    entries: list[tuple[Task, float | None, float | None]]


@dataclass(frozen=True, slots=True)
class RecallBatch:
    """Ask the worker for what ended, and to withdraw what has not started."""

    worker: str
    number: int


@dataclass(frozen=True, slots=True)
class KillWorker:
    """End the worker's process now: the task in it passed its limit."""

    worker: str
    reason: str


@dataclass(frozen=True, slots=True)
class SettleTasks:
    """These tasks have ended: resolve their futures, and record them."""

    ended: list[tuple[Task, Outcome]]


@dataclass(frozen=True, slots=True)
class RecordAttempt:
    """This attempt ended and another one follows."""

    task_id: str
    attempt: int
    outcome: Outcome
    started_us: int
    trace_id: int
    span_id: int
    parent_span_id: int


@dataclass(frozen=True, slots=True)
class TellBreaker:
    """An attempt that had begun was ended because its time was over: the breaker that let it through does not know."""

    breaker: str
    ticket: int


@dataclass(frozen=True, slots=True)
class ResendFunction:
    """The worker does not know this function; the next batch must carry it."""

    worker: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class TravelByValue:
    """Workers cannot import this task's module: pickle it by value, then hand the task in again with `repickled`."""

    task: Task
    reason: str


Command = (
    SendBatch | RecallBatch | KillWorker | SettleTasks | RecordAttempt | TellBreaker | ResendFunction | TravelByValue
)
