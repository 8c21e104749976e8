"""What follows a bad attempt of one task."""

from __future__ import annotations

from random import Random

import pytest

from actors.recovery.retry import Retry
from actors.runtime.errors import (
    OutcomeUnknownError,
    PoisonTaskError,
    TaskPayloadError,
    TaskTimeoutError,
    WorkerLostError,
)
from actors.worker.protocol import CANNOT_LOAD, CANNOT_TRAVEL, RAISED, TIMED_OUT, Result
from supervisor.tasks.policy import Policy
from supervisor.tasks.task import Callee, Outcome, Task
from supervisor.tasks.verdict import lacks_module, next_wait_s, outcome_of_failure, outcome_of_loss

BOOM = ValueError("boom")
FALLBACK = Callee(digest=b"g", name="g")


def _task(
    *, charged: int = 1, deadline_at: float | None = None, fallback: Callee | None = None, **retry: object
) -> Task:
    values = {"attempts": 3, "backoff": "constant", "min_s": 1.0, "max_s": 1.0} | retry
    task = Task(
        number=1,
        task_id="t1",
        key=None,
        callee=Callee(digest=b"f", name="f"),
        arguments=b"",
        refs=[],
        policy=Policy(retry=Retry.parse(values, source="test")),
        deadline_at=deadline_at,
        fallback=fallback,
    )
    task.charged = task.attempt = charged
    return task


def _next(task: Task, *, rest: bool = True, worthwhile: bool = True) -> float | None:
    return next_wait_s(task, now=10.0, rest=rest, worthwhile=worthwhile, rng=Random(1))


def _failure(task: Task, code: int, payload: bytes = b"why") -> tuple[Outcome, bool]:
    result = Result(1, code, payload, 7, None)
    return outcome_of_failure(task, result, worker="w0", limit_s=2.0, decode=lambda _: BOOM)


def _loss(task: Task, *, alone: bool = True, may_live: bool = False, poison_after: int = 3) -> tuple[Outcome, bool]:
    return outcome_of_loss(task, worker="w0", alone=alone, may_live=may_live, poison_after=poison_after)


@pytest.mark.parametrize(
    ("charged", "rest", "worthwhile", "wait_s"),
    [(1, True, True, 1.0), (1, False, True, 0.0), (2, True, True, 1.0), (3, True, True, None), (1, True, False, None)],
)
def test_another_attempt_follows_while_there_are_any_and_the_error_is_worth_it(
    charged: int, rest: bool, worthwhile: bool, wait_s: float | None
) -> None:
    assert _next(_task(charged=charged), rest=rest, worthwhile=worthwhile) == wait_s


def test_no_rest_ends_at_or_after_the_deadline() -> None:
    assert [_next(_task(deadline_at=at)) for at in (10.9, 11.0, 11.1)] == [None, None, 1.0]


def test_decorrelated_waits_follow_from_the_wait_before() -> None:
    task = _task(backoff="decorrelated", min_s=1.0, max_s=100.0)
    first = _next(task)
    assert first == 1.0
    second = _next(task)
    assert second is not None
    assert 1.0 <= second <= 3.0
    assert task.previous_wait_s == second


def test_a_fallback_gets_one_attempt_at_once_when_the_task_has_no_more() -> None:
    task = _task(charged=3, fallback=FALLBACK)
    task.deaths, task.unproven, task.source = 2, True, (len, (), {})
    assert _next(task) == 0.0
    assert (task.callee, task.fallback, task.charged) == (FALLBACK, None, 2)
    assert (task.deaths, task.unproven, task.source) == (0, False, None), (
        "those were the function's, not the fallback's"
    )
    task.charged += 1
    assert _next(task) is None


def test_a_fallback_is_not_begun_after_the_deadline() -> None:
    assert _next(_task(charged=3, fallback=FALLBACK, deadline_at=10.0)) is None
    assert _next(_task(charged=3, fallback=FALLBACK, deadline_at=10.1)) == 0.0


def test_an_exception_is_the_outcome_and_the_policy_says_whether_it_is_worth_another_attempt() -> None:
    outcome = Outcome("failed", error=BOOM, run_us=7, worker="w0")
    assert _failure(_task(), RAISED) == (outcome, True)
    assert _failure(_task(on=(OSError,)), RAISED) == (outcome, False)


def test_a_timeout_is_an_outcome_that_tells_its_limit() -> None:
    outcome, again = _failure(_task(), TIMED_OUT)
    assert (outcome.kind, again) == ("timeout", True)
    assert isinstance(outcome.error, TaskTimeoutError)
    assert outcome.error.limit_s == 2.0
    assert _failure(_task(on=(ValueError,)), TIMED_OUT)[1] is False


@pytest.mark.parametrize(("code", "what"), [(CANNOT_TRAVEL, "result"), (CANNOT_LOAD, "function or arguments")])
def test_what_cannot_travel_is_not_tried_again(code: int, what: str) -> None:
    outcome, again = _failure(_task(), code)
    assert isinstance(outcome.error, TaskPayloadError)
    assert (outcome.kind, outcome.error.what, again) == ("failed", what, False)
    assert "(why)" in str(outcome.error)


@pytest.mark.parametrize(
    ("code", "payload", "lacks"),
    [
        (CANNOT_LOAD, b"ModuleNotFoundError: No module named 'm'", True),
        (CANNOT_LOAD, b"ImportError: x", True),
        (CANNOT_LOAD, b"AttributeError: module 'm' has no attribute 'f'", True),
        (CANNOT_LOAD, b"ValueError: ModuleNotFoundError", False),
        (RAISED, b"ModuleNotFoundError", False),
    ],
)
def test_a_missing_module_is_told_from_other_failures_to_load(code: int, payload: bytes, lacks: bool) -> None:
    assert lacks_module(Result(1, code, payload, 0, None)) == lacks


def test_one_that_was_alone_is_charged_and_blamed_for_a_death() -> None:
    task = _task()
    outcome, again = _loss(task)
    assert (outcome.kind, again, task.charged, task.deaths, task.solo) == ("lost", True, 1, 1, True)
    assert isinstance(outcome.error, WorkerLostError)


def test_one_that_was_alone_is_charged_but_not_blamed_when_the_worker_may_live() -> None:
    task = _task()
    outcome, again = _loss(task, may_live=True)
    assert (outcome.kind, again, task.charged, task.deaths, task.solo) == ("unknown", True, 1, 0, True)


def test_one_in_company_is_neither_charged_nor_blamed_but_travels_alone_from_now_on() -> None:
    task = _task()
    outcome, again = _loss(task, alone=False)
    assert (outcome.kind, again, task.charged, task.deaths, task.solo) == ("lost", True, 0, 0, True)


def test_one_that_killed_its_worker_too_often_is_set_aside() -> None:
    task = _task()
    outcomes = [_loss(task, poison_after=2) for _ in range(2)]
    assert [(outcome.kind, again) for outcome, again in outcomes] == [("lost", True), ("poison", False)]
    error = outcomes[1][0].error
    assert isinstance(error, PoisonTaskError)
    assert (error.deaths, error.function) == (2, "f")


@pytest.mark.parametrize("may_live", [True, False])
def test_where_the_policy_forbids_a_second_run_the_unknown_outcome_is_surfaced(may_live: bool) -> None:
    outcome, again = _loss(_task(unknown="never"), may_live=may_live)
    assert (outcome.kind, again) == ("unknown", False)
    assert isinstance(outcome.error, OutcomeUnknownError)
