"""Where a task goes: sent at once, together with what waits, tried again, given an end. In virtual time."""

from __future__ import annotations

from typing import cast

import pytest

from actors.runtime.errors import RestartIntensityError, SupervisorClosedError, TaskTimeoutError
from actors.worker.protocol import CANNOT_LOAD, CANNOT_TRAVEL, NEEDS_FUNCTION, TIMED_OUT
from supervisor.tasks import commands as do
from supervisor.tasks.task import Outcome
from tests.unit.tasks.scene import AT_ONCE, BOOM, RESTING, Scene, bad, ok, told

GIVEN_UP = RestartIntensityError("pool p", restarts=2, period_s=1.0)
CLOSED = SupervisorClosedError("s")


def _error(commands: list[do.Command]) -> BaseException | None:
    settled = [command for command in commands if isinstance(command, do.SettleTasks)]
    return settled[0].ended[0][1].error


# -- sending ---------------------------------------------------------------------------------------------------------


def test_a_task_is_sent_at_once_while_a_worker_has_room() -> None:
    scene = Scene(2)
    assert told(scene.submit(scene.task(), scene.task())) == [("send", 1, "w0", [1]), ("send", 2, "w1", [2])]
    assert scene.machine.unfinished == 2


def test_what_waits_meanwhile_travels_in_one_call() -> None:
    """One batch runs and one waits at the worker; the rest goes when the first comes back."""
    scene = Scene()
    sent = scene.submit(*(scene.task() for _ in range(5)))
    assert told(sent) == [("send", 1, "w0", [1]), ("send", 2, "w0", [2])]
    assert told(scene.reply(1, ok(1))) == [("settle", 1, "done"), ("send", 3, "w0", [3, 4, 5])]


def test_an_idle_worker_comes_before_one_that_is_busy() -> None:
    scene = Scene(2)
    scene.submit(scene.task(), scene.task(), scene.task())
    scene.reply(2, ok(2))
    assert told(scene.submit(scene.task())) == [("send", 4, "w1", [4])]


def test_a_task_waits_while_there_is_no_worker() -> None:
    scene = Scene(0)
    assert scene.submit(scene.task()) == []
    scene.names = ["w7"]
    assert told(scene.announce()) == [("send", 1, "w7", [1])]


def test_a_standby_gets_nothing() -> None:
    scene = Scene(2, standbys=1)
    assert {command[2] for command in told(scene.submit(scene.task(), scene.task(), scene.task()))} == {"w0"}


def test_higher_priorities_go_first() -> None:
    scene = Scene(0)
    scene.submit(scene.task(), scene.task(priority=5), scene.task(priority=-5), scene.task(priority=5))
    scene.names = ["w0"]
    assert told(scene.announce()) == [("send", 1, "w0", [2, 4, 1, 3])]


def test_entries_carry_the_limit_and_the_time_left() -> None:
    scene = Scene(0)
    tasks = [
        scene.task(),
        scene.task(timeout_s=3.0),
        scene.task(deadline_s=2.0),
        scene.task(timeout_s=3.0, deadline_s=2.0),
        scene.task(timeout_s=0.5, deadline_s=2.0),
    ]
    scene.submit(*tasks)
    scene.names, scene.now = ["w0"], 11.0
    command = cast("do.SendBatch", scene.announce()[0])
    assert [limits for _, *limits in command.entries] == [[None, None], [3.0, None], [1.0, 1.0], [1.0, 1.0], [0.5, 1.0]]
    assert command.batch.limits_s == {2: 3.0, 3: 1.0, 4: 1.0, 5: 0.5}


# -- replies ---------------------------------------------------------------------------------------------------------


def test_a_result_settles_its_task_with_its_object_refs() -> None:
    scene = Scene()
    scene.submit(scene.task())
    commands = scene.reply(1, ok(1, refs=(1, 2)), refs=["a", "b", "c"])
    assert commands == [do.SettleTasks([(scene.tasks[0], Outcome("done", b"result", ("b", "c"), None, 10, "w0"))])]
    assert scene.machine.unfinished == 0


def test_a_result_that_comes_twice_or_from_a_stranger_is_dropped() -> None:
    scene = Scene()
    scene.submit(scene.task())
    scene.reply(1, ok(1))
    assert scene.reply(1, ok(1)) == []
    assert scene.reply(99, ok(1)) == []
    assert scene.recalled(99, ok(1)) == []


def test_an_exception_is_tried_again_after_a_rest() -> None:
    scene = Scene()
    scene.submit(scene.task(retry=RESTING))
    assert told(scene.reply(1, bad(1))) == [("attempt", "t1", 1, "failed")]
    assert scene.wait(0.4) == []
    assert told(scene.wait(0.1)) == [("send", 2, "w0", [1])]


def test_attempts_are_used_up() -> None:
    """The error of the last attempt is the task's."""
    scene = Scene()
    scene.submit(scene.task(retry=AT_ONCE))
    assert told(scene.reply(1, bad(1))) == [("attempt", "t1", 1, "failed"), ("send", 2, "w0", [1])]
    assert told(scene.reply(2, bad(1))) == [("attempt", "t1", 2, "failed"), ("send", 3, "w0", [1])]
    last = scene.reply(3, bad(1))
    assert told(last) == [("settle", 1, "failed")]
    assert _error(last) is BOOM


def test_an_attempt_is_recorded_with_its_own_span() -> None:
    scene = Scene()
    task = scene.task(retry=AT_ONCE)
    scene.submit(task)
    task.attempt_us = 77
    span_id = task.attempt_span_id
    record = scene.reply(1, bad(1))[0]
    failed = Outcome("failed", error=BOOM, run_us=10, worker="w0")
    assert record == do.RecordAttempt("t1", 1, failed, 77, task.trace_id, span_id, task.span_id)
    assert task.attempt_span_id != span_id


@pytest.mark.parametrize(("code", "kind"), [(TIMED_OUT, "timeout"), (CANNOT_TRAVEL, "failed"), (CANNOT_LOAD, "failed")])
def test_other_bad_results_end_the_task_when_no_attempt_is_left(code: int, kind: str) -> None:
    scene = Scene()
    scene.submit(scene.task(timeout_s=1.0, retry=AT_ONCE.model_copy(update={"attempts": 1})))
    assert told(scene.reply(1, bad(1, code, b"why"))) == [("settle", 1, kind)]


def test_a_fallback_answers_when_every_attempt_has_failed() -> None:
    """It gets one attempt of its own."""
    scene = Scene()
    scene.submit(scene.task(fallback="g", retry=AT_ONCE.model_copy(update={"attempts": 1})))
    again = scene.reply(1, bad(1))
    assert told(again) == [("attempt", "t1", 1, "failed"), ("send", 2, "w0", [1])]
    assert scene.tasks[0].callee.name == "g"
    assert told(scene.reply(2, bad(1))) == [("settle", 1, "failed")]


def test_a_function_that_a_worker_does_not_know_is_sent_again_uncharged() -> None:
    scene = Scene()
    scene.submit(scene.task(retry=AT_ONCE))
    assert told(scene.reply(1, bad(1, NEEDS_FUNCTION))) == [("resend", "w0", b"f"), ("send", 2, "w0", [1])]
    assert (scene.tasks[0].attempt, scene.tasks[0].charged) == (1, 1)


def test_a_function_whose_module_is_missing_travels_by_value_uncharged() -> None:
    scene = Scene()
    task = scene.task()
    task.unproven = True
    scene.submit(task)
    reason = b"ModuleNotFoundError: No module named 'm'"
    assert told(scene.reply(1, bad(1, CANNOT_LOAD, reason))) == [("by value", 1, reason.decode())]
    task.unproven = False
    assert told(scene.machine.repickled(task, scene.now)) == [("send", 2, "w0", [1])]
    assert task.charged == 1
    assert told(scene.reply(2, bad(1, CANNOT_LOAD, reason))) == [("settle", 1, "failed")]


def test_a_task_that_cannot_be_repickled_ends_for_a_reason_of_the_callers_side() -> None:
    scene = Scene()
    scene.submit(scene.task())
    outcome = Outcome("failed", error=BOOM)
    assert told(scene.machine.ended(scene.tasks[0], outcome)) == [("settle", 1, "failed")]
    assert scene.machine.ended(scene.tasks[0], outcome) == []
    assert scene.machine.repickled(scene.tasks[0], scene.now) == []


def test_what_a_closed_batch_has_not_brought_has_not_run() -> None:
    """A recall overtook it: the worker ran nothing of it, and the tasks wait again in their old order, uncharged."""
    scene = Scene(0)
    scene.submit(scene.task(), scene.task(), scene.task())
    scene.names = ["w0"]
    scene.announce()
    assert told(scene.reply(1, ok(2))) == [("settle", 2, "done"), ("send", 2, "w0", [1, 3])]
    assert [task.charged for task in scene.tasks] == [1, 1, 1]


# -- cancelling ------------------------------------------------------------------------------------------------------


def test_a_cancelled_task_that_waits_is_never_sent() -> None:
    scene = Scene(0)
    scene.submit(scene.task(), scene.task())
    assert told(scene.machine.cancelled(scene.tasks[0])) == [("settle", 1, "cancelled")]
    assert scene.machine.cancelled(scene.tasks[0]) == []
    scene.names = ["w0"]
    assert told(scene.announce()) == [("send", 1, "w0", [2])]


def test_the_result_of_a_cancelled_task_is_dropped() -> None:
    scene = Scene()
    scene.submit(scene.task())
    scene.machine.cancelled(scene.tasks[0])
    assert scene.reply(1, ok(1)) == []
    assert scene.machine.unfinished == 0


def test_a_cancelled_task_that_rests_or_is_given_back_is_not_sent_again() -> None:
    scene = Scene()
    scene.submit(scene.task(retry=RESTING), scene.task())
    scene.reply(1, bad(1))
    for task in scene.tasks:
        scene.machine.cancelled(task)
    assert scene.reply(2) == []
    assert scene.wait(5.0) == []


# -- deadlines -------------------------------------------------------------------------------------------------------


def test_a_deadline_ends_a_task_wherever_it_is() -> None:
    scene = Scene()
    scene.submit(scene.task(deadline_s=1.0), scene.task("g", deadline_s=1.0), scene.task("g", deadline_s=1.0))
    ended = [command for command in scene.wait(1.0) if isinstance(command, do.SettleTasks)]
    assert told(ended) == [("settle", 1, "timeout"), ("settle", 2, "timeout"), ("settle", 3, "timeout")]
    error = _error(list(ended))
    assert isinstance(error, TaskTimeoutError)
    assert (error.what, error.limit_s) == ("deadline_s", 1.0)


def test_a_task_that_ended_in_time_hears_nothing_of_its_deadline() -> None:
    scene = Scene()
    scene.submit(scene.task(deadline_s=1.0))
    scene.reply(1, ok(1))
    assert scene.wait(5.0) == []
    assert scene.machine.next_timer() is None


def test_no_attempt_starts_after_the_deadline_even_if_no_tick_came_before() -> None:
    """The reply that makes room may come before the timer that would have told of the deadline."""
    scene = Scene()
    scene.submit(scene.task("g"), scene.task("g"), scene.task("g", deadline_s=1.0))
    scene.now += 2.0
    commands = told(scene.reply(1, ok(1)))
    assert ("settle", 3, "timeout") in commands
    assert [command for command in commands if command[0] == "send"] == []


def test_a_rest_that_would_end_after_the_deadline_is_not_begun() -> None:
    scene = Scene()
    scene.submit(scene.task(deadline_s=0.4, retry=RESTING))
    assert told(scene.reply(1, bad(1))) == [("settle", 1, "failed")]


# -- the pool's end and the caller's ---------------------------------------------------------------------------------


def test_a_pool_that_is_given_up_ends_what_waits_and_what_comes() -> None:
    scene = Scene(0)
    scene.submit(scene.task())
    commands = scene.machine.pool_failed(GIVEN_UP)
    assert told(commands) == [("settle", 1, "failed")]
    assert _error(commands) is GIVEN_UP
    assert told(scene.submit(scene.task())) == [("settle", 2, "failed")]
    assert scene.machine.unfinished == 0


def test_a_pool_that_is_given_up_ends_what_comes_back_from_its_workers_too() -> None:
    """Tasks that were running or resting must not wait for ever for a worker that will never come."""
    scene = Scene(2)
    scene.submit(scene.task("g", retry=RESTING), scene.task("g"))
    scene.reply(1, bad(1))
    assert scene.machine.pool_failed(GIVEN_UP) == []
    assert told(scene.lose("w1")) == [("attempt", "t2", 1, "lost"), ("settle", 2, "failed")]
    assert told(scene.wait(1.0))[-1] == ("settle", 1, "failed")


def test_a_result_that_still_comes_from_a_pool_given_up_counts() -> None:
    scene = Scene()
    scene.submit(scene.task())
    scene.machine.pool_failed(GIVEN_UP)
    assert told(scene.reply(1, ok(1))) == [("settle", 1, "done")]


def test_a_pool_that_serves_again_takes_tasks_again() -> None:
    scene = Scene()
    scene.machine.pool_failed(GIVEN_UP)
    scene.announce()
    assert told(scene.submit(scene.task())) == [("send", 1, "w0", [1])]


def test_a_caller_that_leaves_ends_all_its_tasks() -> None:
    """Those at workers, waiting, resting, and out for another pickling; and no announcement makes it begin again."""
    scene = Scene()
    tasks = [scene.task("g", retry=RESTING), scene.task("g"), scene.task("g"), scene.task("g", deadline_s=9.0)]
    tasks[1].unproven = True
    scene.submit(*tasks)
    scene.reply(1, bad(1))
    scene.reply(2, bad(2, CANNOT_LOAD, b"ImportError"))
    assert sorted(told(scene.machine.abandon(CLOSED))) == [
        ("settle", 1, "failed"),
        ("settle", 3, "failed"),
        ("settle", 4, "failed"),
    ]
    scene.announce()
    assert told(scene.machine.repickled(tasks[1], scene.now)) == [("settle", 2, "failed")]
    assert scene.machine.unfinished == 0
    assert [command for command in told(scene.wait(20.0)) if command[0] in ("send", "settle")] == []


# -- bounds ----------------------------------------------------------------------------------------------------------


def test_nothing_is_left_of_tasks_that_have_ended() -> None:
    """Neither their batches nor their timers, however far their deadlines are."""
    scene = Scene()
    for number in range(1, 3000):
        scene.submit(scene.task(deadline_s=3600.0))
        scene.reply(number, ok(number))
    assert scene.machine.unfinished == 0
    assert scene.machine._batches == {}
    assert len(scene.machine._timers) <= 1025


def test_a_batch_of_several_functions_measures_each_for_itself() -> None:
    """A slow function in good company must not make the fast one look slow, nor a failed one itself look fast."""
    scene = Scene(0)
    scene.machine._pace.record("g", 1, 100)
    for name in ("f", "f", "g", "f"):
        scene.submit(scene.task(name, retry=RESTING))
    scene.names = ["w0"]
    assert told(scene.announce()) == [("send", 1, "w0", [1, 2, 3, 4])]
    scene.reply(1, ok(1, 20), ok(2, 40), ok(3, 1100), bad(4))
    assert scene.machine._pace.expected_s("f") == pytest.approx(16e-6)
    assert scene.machine._pace.expected_s("g") == pytest.approx(400e-6)
