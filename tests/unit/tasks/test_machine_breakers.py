"""What the breaker of a task is told of attempts that ran until their time was over, and of nothing else."""

from __future__ import annotations

from typing import Any

from actors.recovery.retry import Retry
from actors.worker.protocol import NOT_BEGUN, TIMED_OUT
from supervisor.tasks import commands as do
from supervisor.tasks.task import Task
from tests.unit.tasks.scene import Scene, bad, told


def guarded(scene: Scene, **policy: Any) -> Task:
    task = scene.task("g", breaker="bank", retry=Retry(attempts=1), **policy)
    scene.submit(task)
    task.ticket = 7  # as the dispatcher does when it sends
    return task


def test_a_breaker_is_told_of_an_attempt_that_ran_until_its_time_was_over() -> None:
    scene = Scene(1)
    guarded(scene, timeout_s=1.0)
    assert told(scene.reply(1, bad(1, TIMED_OUT)))[0] == ("tell", "bank", 7)
    guarded(scene, timeout_s=1.0)
    assert ("tell", "bank", 7) not in told(scene.reply(2, bad(2, TIMED_OUT, NOT_BEGUN)))


def test_a_breaker_hears_of_a_deadline_only_when_it_is_known_that_the_attempt_had_begun() -> None:
    """A full queue says nothing of what the breaker guards."""
    scene = Scene(1)
    for _ in range(3):
        guarded(scene, deadline_s=1.0)
    assert told(scene.wait(1.0))[-3:] == [("settle", number, "timeout") for number in (1, 2, 3)]
    assert told(scene.reply(1, bad(1, TIMED_OUT))) == [("tell", "bank", 7)]


def test_a_breaker_hears_of_a_deadline_also_when_the_worker_had_to_be_killed() -> None:
    scene = Scene(2)
    task = guarded(scene, deadline_s=1.0)
    commands = scene.wait(1.1)
    number, worker = next((each.number, each.worker) for each in commands if isinstance(each, do.RecallBatch))
    assert not any(isinstance(each, do.TellBreaker) for each in commands)
    commands = scene.recalled(number, running=task.number, running_s=100.0)
    assert [each.worker for each in commands if isinstance(each, do.KillWorker)] == [worker]
    assert told(scene.lose(worker)) == [("tell", "bank", 7)]


def test_a_breaker_that_no_attempt_was_sent_with_a_ticket_of_is_told_nothing() -> None:
    """As when the fallback runs, which passes no breaker."""
    scene = Scene(1)
    guarded(scene, timeout_s=1.0).ticket = None
    assert told(scene.reply(1, bad(1, TIMED_OUT))) == [("settle", 1, "timeout")]
