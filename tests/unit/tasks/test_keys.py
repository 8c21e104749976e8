"""One task per key."""

from __future__ import annotations

from typing import Any

import pytest

from supervisor.tasks.future import TaskFuture
from supervisor.tasks.keys import KeyedTasks


def _future() -> TaskFuture[Any]:
    return TaskFuture("t", None, 1, lambda _: None)


def _refuse() -> TaskFuture[Any]:
    raise AssertionError("this key has a task already")


def test_a_second_submit_of_a_key_gets_the_first_ones_future() -> None:
    """While it runs, and after it has succeeded."""
    keys = KeyedTasks()
    first = keys.once("a", _future)
    assert keys.once("a", _refuse) is first
    first.set_result(1)
    assert keys.once("a", _refuse) is first
    assert keys.once("b", _future) is not first


def test_a_task_that_failed_or_was_cancelled_may_be_submitted_again() -> None:
    keys = KeyedTasks()
    failed = keys.once("a", _future)
    failed.set_exception(ValueError())
    cancelled = keys.once("a", _future)
    assert cancelled is not failed
    cancelled.cancel()
    assert keys.once("a", _future) is not cancelled


def test_a_refused_submit_leaves_no_key_behind() -> None:
    keys = KeyedTasks()
    with pytest.raises(AssertionError):
        keys.once("a", _refuse)
    assert isinstance(keys.once("a", _future), TaskFuture)


def test_the_oldest_ended_keys_leave_first() -> None:
    keys = KeyedTasks(limit=2)
    futures = {name: keys.once(name, _future) for name in "ab"}
    for future in futures.values():
        future.set_result(1)
    keys.once("c", _future)
    assert keys.once("b", _refuse) is futures["b"]
    assert keys.once("a", _future) is not futures["a"]


def test_a_key_that_runs_for_long_does_not_keep_all_ended_ones_after_it() -> None:
    keys = KeyedTasks(limit=10)
    running = keys.once("running", _future)
    for number in range(1000):
        keys.once(f"k{number}", _future).set_result(number)
    assert len(keys._futures) <= 12
    assert keys.once("running", _refuse) is running


def test_keys_whose_tasks_run_are_never_forgotten() -> None:
    keys = KeyedTasks(limit=2)
    futures = [keys.once(f"k{number}", _future) for number in range(50)]
    assert [keys.once(f"k{number}", _refuse) for number in range(50)] == futures


def test_what_settles_within_a_submit_may_submit_another_key() -> None:
    """A callback of another task may run on this thread, inside the submit: it must not wait for itself."""
    keys = KeyedTasks()

    def submit() -> TaskFuture[Any]:
        keys.once("inner", _future)
        return _future()

    keys.once("outer", submit)
    keys.once("inner", _refuse)
