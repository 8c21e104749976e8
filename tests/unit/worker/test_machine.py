"""A worker runs a batch task by task, and gives back what it has not started."""

from __future__ import annotations

from actors.worker.machine import _WITHDRAWN_KEPT, WorkerMachine
from actors.worker.protocol import OK, TIMED_OUT, Entry, Progress, Result, WireEntry

KEY = ("caller", 1)
OTHER = ("caller", 2)


def _entry(number: int, remaining_s: float | None = None) -> WireEntry:
    return (number, b"f", b"", None, None, (f"t{number}", None, 1, remaining_s, 1, 1))


def _result(number: int) -> Result:
    return Result(number, OK, b"r", 5, None)


def _progress(
    *results: int, withdrawn: tuple[int, ...] = (), running: int | None = None, running_s: float = 0.0, **flags: bool
) -> Progress:
    told = {"blocked": False, "waiting": False} | flags
    return Progress([_result(number) for number in results], [], withdrawn, running, running_s, **told)


def _started(*numbers: int) -> WorkerMachine:
    machine = WorkerMachine()
    machine.open(KEY, [_entry(number) for number in numbers], 0.0)
    return machine


def test_tasks_run_in_order_and_their_results_leave_when_the_batch_closes() -> None:
    machine = _started(1, 2)
    for number in (1, 2):
        assert machine.next(KEY, 0.0) == Entry(*_entry(number))
        machine.finish(KEY, _result(number))
    assert machine.next(KEY, 0.0) is None
    assert machine.close(KEY) == ([tuple(_result(1)), tuple(_result(2))], [])
    assert machine.tasks_run == 2


def test_a_recall_brings_what_ended_tells_what_runs_and_withdraws_the_rest() -> None:
    machine = _started(1, 2, 3, 4)
    machine.next(KEY, 0.0)
    machine.finish(KEY, _result(1))
    machine.next(KEY, 10.0)
    assert machine.recall(KEY, 12.5) == _progress(1, withdrawn=(3, 4), running=2, running_s=2.5)
    assert machine.recall(KEY, 13.0) == _progress(running=2, running_s=3.0)
    machine.finish(KEY, _result(2))
    assert machine.recall(KEY, 14.0) == _progress(2)
    assert machine.next(KEY, 14.0) is None
    assert machine.close(KEY) == ([], [])


def test_a_batch_that_waits_for_its_turn_is_withdrawn_whole() -> None:
    machine = _started(1, 2)
    assert machine.recall(KEY, 9.0) == _progress(withdrawn=(1, 2), waiting=True)
    assert machine.next(KEY, 9.0) is None


def test_a_task_that_waits_for_another_one_is_told_of() -> None:
    machine = _started(1)
    machine.next(KEY, 0.0)
    machine.set_blocked(KEY, blocked=True)
    assert machine.recall(KEY, 1.0) == _progress(running=1, running_s=1.0, blocked=True)
    machine.set_blocked(KEY, blocked=False)
    assert machine.recall(KEY, 2.0) == _progress(running=1, running_s=2.0)


def test_a_coroutine_is_told_of_and_the_task_after_it_is_none() -> None:
    machine = _started(1)
    machine.next(KEY, 0.0)
    machine.set_yielding(KEY)
    assert machine.recall(KEY, 1.0) == _progress(running=1, running_s=1.0, yielding=True)
    machine = _started(1, 2)
    machine.next(KEY, 0.0)
    machine.set_yielding(KEY)
    machine.finish(KEY, _result(1))
    machine.next(KEY, 0.0)
    assert machine.recall(KEY, 1.0) == _progress(1, running=2, running_s=1.0)


def test_object_refs_are_found_where_the_result_says_also_after_a_recall() -> None:
    machine = _started(1, 2, 3)
    machine.next(KEY, 0.0)
    machine.finish(KEY, _result(1), ["a", "b"])
    machine.next(KEY, 0.0)
    machine.finish(KEY, _result(2), ["c"])
    machine.next(KEY, 0.0)
    told = machine.recall(KEY, 0.0)
    assert [result[4] for result in told.results] == [(0, 2), (2, 1)]
    assert told.refs == ["a", "b", "c"]
    machine.finish(KEY, _result(3), ["d"])
    results, refs = machine.close(KEY)
    assert (results[0][4], refs) == ((0, 1), ["d"])


def test_a_recall_that_overtakes_its_batch_keeps_it_from_running() -> None:
    """It is refused once, so that its reply is empty at once, and the caller knows that nothing of it ran."""
    machine = WorkerMachine()
    assert machine.recall(KEY, 0.0) == _progress()
    assert not machine.open(KEY, [_entry(1)], 0.0)
    assert machine.open(OTHER, [_entry(2)], 0.0)
    assert machine.next(OTHER, 0.0) == Entry(*_entry(2))


def test_recalls_of_batches_that_have_ended_are_forgotten_in_time() -> None:
    machine = WorkerMachine()
    for number in range(_WITHDRAWN_KEPT + 1):
        machine.recall(("caller", number), 0.0)
    assert machine.open(("caller", 0), [_entry(1)], 0.0)
    assert not machine.open(("caller", 1), [_entry(2)], 0.0)


def test_a_task_whose_deadline_passed_while_it_waited_here_does_not_begin() -> None:
    """Its caller has been told that it timed out, so its effect must not happen afterwards."""
    machine = WorkerMachine()
    machine.open(KEY, [_entry(1, 1.0), _entry(2, 3.0), _entry(3), _entry(4, 3.5)], 10.0)
    assert machine.next(KEY, 11.0) == Entry(*_entry(2, 3.0))
    machine.finish(KEY, _result(2))
    assert machine.next(KEY, 20.0) == Entry(*_entry(3))
    machine.finish(KEY, _result(3))
    assert machine.next(KEY, 20.0) is None
    results, _ = machine.close(KEY)
    assert [(number, code) for number, code, *_ in results] == [(1, TIMED_OUT), (2, OK), (3, OK), (4, TIMED_OUT)]


def test_without_a_time_of_arrival_deadlines_are_left_to_the_caller() -> None:
    machine = WorkerMachine()
    machine.open(KEY, [_entry(1, 1.0)])
    assert machine.next(KEY, 99.0) is not None
