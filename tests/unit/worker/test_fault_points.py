"""Faults at a worker's point: what does not arrive does not run, what is not answered has, and a task fails alone."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from actors.runtime.fault_control import fault_put, fault_seen, fault_take
from actors.runtime.fault_points import CHILD_CALL, ON, InjectedFaultError, InjectedUnavailableError
from actors.worker.actor import WorkerActor
from actors.worker.protocol import OK, RAISED
from tests.unit.worker.test_actor import batch, codes, results


@pytest.fixture(autouse=True)
def nothing_is_left_on() -> Iterator[None]:
    yield
    fault_take(list(ON))


@pytest.fixture
def worker() -> WorkerActor:
    return WorkerActor("s/worker/p-0#1", 1)


def put(kind: str, subject: str = "worker/p-0", **changed: Any) -> None:
    order = {"fault_id": kind, "run": "r", "point": CHILD_CALL, "subject": subject, "kind": kind, "left_s": 60.0}
    fault_put([{**order, **changed}])


def test_a_lost_request_runs_nothing_and_a_lost_reply_all_of_it(worker: Any) -> None:
    put("lost_request")
    with pytest.raises(InjectedUnavailableError):
        worker.run(batch((pow, 2, 3)))
    assert worker.vital_signs()["tasks_run"] == 0
    fault_take(["lost_request"])
    put("lost_reply")
    with pytest.raises(InjectedUnavailableError):
        worker.run(batch((pow, 2, 3), (pow, 2, 4), number=2))
    assert worker.vital_signs()["tasks_run"] == 2
    fault_take(["lost_reply"])
    assert codes(worker.run(batch((pow, 2, 3), number=3))) == [OK]


def test_an_error_is_each_tasks_own(worker: Any) -> None:
    put("error", error="builtins:ConnectionError", message="no route", share=0.5)
    before = fault_seen()["error"]
    answers = results(worker.run(batch(*[(pow, 2, 3)] * 200)))
    raised = [pickle.loads(payload) for _, code, payload, _, _ in answers if code == RAISED]
    assert 50 < len(raised) < 150
    assert fault_seen()["error"] - before == len(raised)
    assert all(isinstance(error, ConnectionError) and error.args == ("no route",) for error in raised)


def test_latency_is_part_of_the_tasks_time(worker: Any) -> None:
    put("latency", delay_s=0.05)
    assert all(run_us >= 50_000 for _, _, _, run_us, _ in results(worker.run(batch((pow, 2, 3), (pow, 2, 4)))))


def test_others_are_not_hit(worker: Any) -> None:
    put("error", subject="worker/p-1")
    put("unavailable", subject="child/*")
    assert codes(worker.run(batch((pow, 2, 3)))) == [OK]


def test_an_error_without_a_class_says_whose_it_is(worker: Any) -> None:
    put("error", message="just so")
    ((_, _, payload, _, _),) = results(worker.run(batch((pow, 2, 3))))
    error = pickle.loads(payload)
    assert isinstance(error, InjectedFaultError)
    assert (error.run, error.subject, error.message) == ("r", "worker/p-0", "just so")
