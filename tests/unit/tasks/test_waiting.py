"""The order in which tasks wait, and how many travel together."""

from __future__ import annotations

import pytest

from actors.recovery.retry import Retry
from supervisor.tasks.policy import Policy
from supervisor.tasks.task import Callee, Task
from supervisor.tasks.waiting import SWEEP_FROM, PaceBook, WaitingTasks, take_batch


def _task(number: int, function: str = "f", *, priority: int = 0, unknown: str = "retry", size: int = 10) -> Task:
    policy = Policy(priority=priority, retry=Retry(unknown="never" if unknown == "never" else "retry"))
    callee = Callee(digest=b"", name=function)
    return Task(number=number, task_id="", key=None, callee=callee, arguments=b"x" * size, refs=[], policy=policy)


def _waiting(*tasks: Task) -> WaitingTasks:
    waiting = WaitingTasks()
    for task in tasks:
        waiting.append(task)
    return waiting


def _pops(waiting: WaitingTasks) -> list[int]:
    numbers: list[int] = []
    while (task := waiting.pop()) is not None:
        numbers.append(task.number)
    return numbers


def _batch(waiting: WaitingTasks, pace: PaceBook, **bounds: float) -> tuple[list[int], float]:
    limits = {"target_s": 0.004, "size_max": 100, "bytes_max": 1000} | bounds
    size_max, bytes_max = int(limits["size_max"]), int(limits["bytes_max"])
    tasks, expected_s = take_batch(waiting, pace, target_s=limits["target_s"], size_max=size_max, bytes_max=bytes_max)
    return [task.number for task in tasks], expected_s


def _pace(**us: int) -> PaceBook:
    pace = PaceBook()
    for name, run_us in us.items():
        pace.record(name, 1, run_us)
    return pace


def test_first_in_first_out_within_a_priority_and_higher_ones_first() -> None:
    waiting = _waiting(_task(1), _task(2, priority=9), _task(3), _task(4, priority=9), _task(5, priority=-1))
    assert len(waiting) == 5
    assert [task.number for task in waiting] == [2, 4, 1, 3, 5]
    assert _pops(waiting) == [2, 4, 1, 3, 5]
    assert len(waiting) == 0


def test_who_had_its_turn_already_waits_in_front() -> None:
    waiting = _waiting(_task(1), _task(2))
    waiting.put_back(_task(0))
    assert _pops(waiting) == [0, 1, 2]


def test_settled_tasks_are_passed_over() -> None:
    tasks = [_task(number) for number in range(4)]
    waiting = _waiting(*tasks)
    tasks[0].settled = tasks[2].settled = True
    peeked = waiting.peek()
    assert peeked is tasks[1]
    assert _pops(waiting) == [1, 3]
    assert waiting.peek() is None


def test_draining_takes_all_that_have_not_ended() -> None:
    tasks = [_task(1), _task(2, priority=1), _task(3)]
    waiting = _waiting(*tasks)
    tasks[0].settled = True
    assert [task.number for task in waiting.drain()] == [2, 3]
    assert (len(waiting), waiting.drain()) == (0, [])
    waiting.append(_task(4))
    assert _pops(waiting) == [4]


def test_cancelled_tasks_do_not_pile_up_behind_one_that_waits() -> None:
    waiting = _waiting(_task(0))
    for number in range(1, 5 * SWEEP_FROM):
        task = _task(number)
        waiting.append(task)
        task.settled = True
    assert len(waiting) <= SWEEP_FROM
    assert _pops(waiting) == [0]


def test_pace_is_a_weighted_mean_by_function() -> None:
    pace = _pace(f=100)
    pace.record("f", 2, 400)
    pace.record("f", 0, 0)
    assert pace.expected_s("f") == pytest.approx(130e-6)
    assert pace.expected_s("g") is None


def test_measured_tasks_travel_together_while_they_fit_the_target() -> None:
    waiting = _waiting(*(_task(number) for number in range(10)))
    assert _batch(waiting, _pace(f=1000)) == ([0, 1, 2, 3], pytest.approx(0.004))


def test_a_batch_is_bounded_in_number_and_bytes() -> None:
    pace = _pace(f=1)
    assert _batch(_waiting(*(_task(number) for number in range(9))), pace, size_max=3)[0] == [0, 1, 2]
    assert _batch(_waiting(*(_task(number, size=400) for number in range(9))), pace)[0] == [0, 1]
    assert _batch(_waiting(_task(0, size=5000), _task(1)), pace)[0] == [0], "one that is larger than all travels still"


def test_a_function_that_was_never_measured_makes_a_batch_of_one() -> None:
    """Also beside functions that take no time at all."""
    waiting = _waiting(_task(0), _task(1, "new"), _task(2))
    pace = _pace(f=0)
    assert [_batch(waiting, pace) for _ in range(3)] == [([0], 0.0), ([1], 0.004), ([2], 0.0)]


def test_a_task_longer_than_the_target_makes_a_batch_of_one() -> None:
    waiting = _waiting(_task(0, "long"), _task(1))
    assert _batch(waiting, _pace(long=9000, f=10)) == ([0], 0.009)


def test_a_task_that_must_travel_alone_does() -> None:
    waiting = _waiting(_task(0), _task(1, unknown="never"), _task(2))
    pace = _pace(f=10)
    assert [_batch(waiting, pace)[0] for _ in range(4)] == [[0], [1], [2], []]
