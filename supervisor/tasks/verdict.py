"""What follows a bad attempt: pure decisions about one task, apart from the traffic that the machine directs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.recovery.backoff import delay_s
from actors.runtime.errors import (
    OutcomeUnknownError,
    PoisonTaskError,
    TaskPayloadError,
    TaskTimeoutError,
    WorkerLostError,
)
from actors.worker.protocol import CANNOT_LOAD, CANNOT_TRAVEL, NOT_BEGUN, RAISED, TIMED_OUT
from supervisor.tasks.commands import TellBreaker
from supervisor.tasks.task import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from actors.worker.protocol import Result
    from supervisor.tasks.task import Task

_MISSING_NAMES = ("ModuleNotFoundError", "ImportError", "AttributeError")


def next_wait_s(task: Task, *, now: float, rest: bool, worthwhile: bool, rng: Random) -> float | None:
    """Seconds to wait before the task's next attempt, or None when it has no more.

    When its own attempts are used up, a task with a fallback gets one attempt with that.

    Args:
        task: It is at no worker any more; its fallback is taken when its turn comes.
        now: Monotonic seconds.
        rest: Whether to wait at all; a lost worker is no reason to.
        worthwhile: Whether the error is one that the policy tries again on.
        rng: The source of jitter.
    """
    wait_s = _rest_s(task, rng) if rest else 0.0
    in_time = task.deadline_at is None or now + wait_s < task.deadline_at
    if worthwhile and in_time and task.charged < task.retry.attempts:
        task.previous_wait_s = wait_s
        return wait_s
    if task.fallback is not None and (task.deadline_at is None or now < task.deadline_at):
        task.callee, task.fallback, task.charged = task.fallback, None, task.retry.attempts - 1
        task.deaths, task.unproven, task.source = 0, False, None
        return 0.0
    return None


def _rest_s(task: Task, rng: Random) -> float:
    retry = task.retry
    return delay_s(
        retry.backoff,
        failures=max(1, task.charged),
        min_s=retry.min_s,
        max_s=retry.max_s,
        previous_s=task.previous_wait_s,
        rng=rng,
    )


def outcome_of_failure(
    task: Task, result: Result, *, worker: str, limit_s: float, decode: Callable[[bytes], BaseException]
) -> tuple[Outcome, bool]:
    """What a worker's bad result means, and whether the policy tries again on it."""
    if result.code == RAISED:
        error = decode(result.payload)
        return Outcome("failed", error=error, run_us=result.run_us, worker=worker), task.retry.allows(error)
    if result.code == TIMED_OUT:
        late = TaskTimeoutError(task.task_id, limit_s=limit_s)
        return Outcome("timeout", error=late, run_us=result.run_us, worker=worker), task.retry.allows(late)
    what = {CANNOT_LOAD: "function or arguments", CANNOT_TRAVEL: "result"}[result.code]
    stuck = TaskPayloadError(task.task_id, what=what, reason=result.payload.decode())
    return Outcome("failed", error=stuck, run_us=result.run_us, worker=worker), False


def has_run_out(result: Result) -> bool:
    """Whether a task was ended at its worker because its time was over, after it had begun."""
    return result.code == TIMED_OUT and result.payload != NOT_BEGUN


def told_of_end(task: Task) -> list[TellBreaker]:
    """What the breaker of a task is told whose attempt ran until its time was over."""
    breaker, ticket = task.policy.breaker, task.ticket
    return [] if breaker is None or ticket is None else [TellBreaker(breaker, ticket)]


def limits_s(task: Task, *, now: float) -> tuple[float | None, float | None]:
    """The run limit of the attempt that starts now and the time left until the deadline, seconds."""
    if task.deadline_at is None:
        return task.policy.timeout_s, None
    remaining_s = task.deadline_at - now
    limit_s = task.policy.timeout_s
    return (remaining_s if limit_s is None else min(limit_s, remaining_s)), remaining_s


def lacks_module(result: Result) -> bool:
    """Whether the worker could not find what the function or its arguments are made of."""
    return result.code == CANNOT_LOAD and result.payload.decode().startswith(_MISSING_NAMES)


def outcome_of_loss(task: Task, *, worker: str, alone: bool, may_live: bool, poison_after: int) -> tuple[Outcome, bool]:
    """What the loss of a task's worker means, and whether another attempt may follow.

    Nobody knows whether the task ran. Only one that was alone at its worker can be blamed for the death; the attempt
    of any other does not count, but it travels alone from now on.

    Args:
        task: The task that was sent there.
        worker: The lost worker.
        alone: Whether nothing else ran or waited in the same call.
        may_live: The worker cannot be reached, or was fenced: it is not known to be dead.
        poison_after: Deaths that one task may cause.
    """
    if task.retry.unknown == "never":
        return Outcome("unknown", error=OutcomeUnknownError(task.task_id, worker=worker), worker=worker), False
    task.solo = True
    if not alone:
        task.charged -= 1
    elif not may_live:
        task.deaths += 1
    if task.deaths >= poison_after:
        return outcome_of_poison(task, worker), False
    error = WorkerLostError(task.task_id, worker=worker, attempts=task.attempt)
    return Outcome("unknown" if may_live else "lost", error=error, worker=worker), True


def outcome_of_poison(task: Task, worker: str) -> Outcome:
    """The end of a task that has caused as many deaths as it may."""
    poison = PoisonTaskError(task.task_id, deaths=task.deaths, function=task.callee.name)
    return Outcome("poison", error=poison, worker=worker)
