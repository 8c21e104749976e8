"""A task knows what it is and tells its attempts apart."""

from __future__ import annotations

from actors.recovery.retry import Retry
from supervisor.tasks.policy import Policy
from supervisor.tasks.task import Callee, Outcome, Task


def _task(policy: Policy, span_id: int = 7) -> Task:
    callee = Callee(digest=b"", name="f")
    return Task(number=1, task_id="t", key=None, callee=callee, arguments=b"", refs=[], policy=policy, span_id=span_id)


def test_each_attempt_has_a_span_of_its_own() -> None:
    task = _task(Policy())
    ids: set[int] = set()
    for attempt in range(1000):
        task.attempt = attempt
        ids.add(task.attempt_span_id)
    assert len(ids) == 1000
    assert all(0 < span_id < 2**64 for span_id in ids)


def test_a_span_id_is_never_zero() -> None:
    task = _task(Policy(), span_id=2**64 - 0x9E3779B97F4A7C15)
    task.attempt = 1
    assert task.attempt_span_id == 1


def test_a_task_that_must_not_run_twice_travels_alone_from_the_start() -> None:
    assert _task(Policy(retry=Retry(unknown="never"))).solo
    assert not _task(Policy()).solo
    assert _task(Policy(retry=Retry(attempts=7))).retry.attempts == 7


def test_an_outcome_says_no_more_than_it_knows() -> None:
    assert Outcome("cancelled") == ("cancelled", b"", (), None, 0, "")
