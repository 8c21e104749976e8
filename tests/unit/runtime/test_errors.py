"""Errors carry data and the remedy, and cross processes with both."""

from __future__ import annotations

import pickle

import pytest

from actors.runtime import errors as e

EXAMPLES: list[tuple[e.SupervisorError, list[str]]] = [
    (e.ConfigError("x.yaml", problems=("a: wrong", "b: too")), ["x.yaml: a: wrong; b: too"]),
    (e.SupervisorNotFoundError("s", reason="no answer", remedy="Start it"), ["'s'", "no answer", "Start it"]),
    (e.SupervisorExistsError("s", leader="s/supervisor/root#2"), ["root#2", "connect('s')", "down --name s"]),
    (e.SupervisorClosedError("s"), ["'s'", "start or connect"]),
    (e.StaleIncarnationError("w#1", sent_by=2, accepted=3), ["incarnation 2", "3 has taken over"]),
    (e.RestartIntensityError("g", restarts=4, period_s=5.0), ["4 restarts within 5 s. Mend"]),
    (e.RestartIntensityError("g", restarts=4, period_s=5.0, last_error="boom"), ["Last error: boom. Mend"]),
    (e.TaskTimeoutError("t", limit_s=0.5), ["timeout_s of 0.5 s", "raise timeout_s"]),
    (e.TaskTimeoutError("t", limit_s=2, what="deadline_s"), ["deadline_s of 2 s", "raise deadline_s"]),
    (e.OutcomeUnknownError("t", worker="w#1"), ["w#1", 'unknown="retry"']),
    (e.WorkerLostError("t", worker="w#1", attempts=3), ["w#1", "attempt 3", "Retry(attempts=...)"]),
    (e.PoisonTaskError("t", deaths=3, function="m.f"), ["m.f", "3 times", "poison_after"]),
    (e.TaskPayloadError("t", what="result", reason="no"), ["its result", "(no)", "inside the function"]),
    (e.QueueFullError(10, pool="p"), ["10 tasks", "'p'", "queue_limit"]),
    (e.EventLogError("x.db", reason="locked", remedy="Close it"), ["x.db: locked. Close it"]),
    (e.QueryRefusedError("two statements"), ["two statements", "one SELECT"]),
]


@pytest.mark.parametrize(("error", "words"), EXAMPLES, ids=lambda value: type(value).__name__)
def test_the_message_names_the_thing_and_the_remedy(error: e.SupervisorError, words: list[str]) -> None:
    assert [word for word in words if word not in str(error)] == []


@pytest.mark.parametrize("error", [error for error, _ in EXAMPLES], ids=lambda error: type(error).__name__)
def test_an_error_crosses_processes_with_its_data(error: e.SupervisorError) -> None:
    error.add_note("the worker's traceback")
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))


def test_a_task_that_timed_out_is_a_timeout_to_whoever_catches_that() -> None:
    assert isinstance(e.TaskTimeoutError("t", limit_s=1), TimeoutError)
