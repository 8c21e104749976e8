"""What follows when a worker is lost: who is blamed, who runs again, and what must not."""

from __future__ import annotations

import pytest

from actors.recovery.retry import Retry
from actors.runtime.errors import OutcomeUnknownError, PoisonTaskError, TaskTimeoutError, WorkerLostError
from supervisor.tasks import commands as do
from tests.unit.tasks.scene import AT_ONCE, NEVER, Scene, bad, ok, told


def _error(commands: list[do.Command]) -> BaseException | None:
    return next(command for command in commands if isinstance(command, do.SettleTasks)).ended[0][1].error


def _together(count: int, workers: int = 1) -> Scene:
    """So many tasks that travelled to w0 in one call."""
    scene = Scene(0)
    scene.submit(*(scene.task() for _ in range(count)))
    scene.names = [f"w{number}" for number in range(workers)]
    scene.announce()
    return scene


def test_a_task_whose_worker_died_runs_elsewhere_at_once() -> None:
    scene = Scene(2)
    scene.submit(scene.task())
    assert told(scene.lose("w0")) == [("attempt", "t1", 1, "lost"), ("send", 2, "w1", [1])]


def test_the_last_attempts_loss_ends_the_task() -> None:
    scene = Scene()
    scene.submit(scene.task(retry=Retry(attempts=1)))
    lost = scene.lose("w0")
    assert told(lost) == [("settle", 1, "lost")]
    assert isinstance(_error(lost), WorkerLostError)


def test_who_travelled_with_others_is_not_charged_and_travels_alone_from_then_on() -> None:
    """Nobody knows which of them ended the worker."""
    scene = _together(3, workers=2)
    lost = told(scene.lose("w0"))
    assert lost == [("attempt", f"t{n}", 1, "lost") for n in (3, 2, 1)] + [("send", 2, "w1", [1])]
    assert [(task.solo, task.charged, task.deaths) for task in scene.tasks] == [
        (True, 1, 0),
        (True, 0, 0),
        (True, 0, 0),
    ]
    assert told(scene.reply(2, ok(1))) == [("settle", 1, "done"), ("send", 3, "w1", [2])]


def test_a_task_that_must_travel_alone_neither_waits_behind_another_nor_lets_one_wait_behind_it() -> None:
    scene = Scene()
    scene.submit(scene.task(), scene.task(retry=NEVER))
    assert told(scene.reply(1, ok(1))) == [("settle", 1, "done"), ("send", 2, "w0", [2])]
    assert scene.submit(scene.task()) == []


def test_a_task_that_kills_its_worker_alone_is_set_aside() -> None:
    scene = Scene(poison_after=2)
    scene.submit(scene.task(retry=Retry(attempts=9)))
    assert told(scene.lose("w0")) == [("attempt", "t1", 1, "lost")]
    scene.announce("w1")
    poison = scene.lose("w1")
    assert told(poison) == [("settle", 1, "poison")]
    assert isinstance(_error(poison), PoisonTaskError)


def test_a_poisonous_task_gets_its_fallback() -> None:
    """The fallback is not blamed for what the function did."""
    scene = Scene(poison_after=1)
    scene.submit(scene.task(fallback="g", retry=Retry(attempts=9)))
    scene.lose("w0")
    assert told(scene.announce("w1")) == [("send", 2, "w1", [1])]
    assert scene.tasks[0].callee.name == "g"
    assert told(scene.reply(2, ok(1))) == [("settle", 1, "done")]


def test_a_worker_that_was_fenced_is_not_known_to_be_dead_so_nobody_is_blamed_for_its_death() -> None:
    scene = Scene()
    scene.submit(scene.task())
    assert told(scene.announce("w1")) == [("attempt", "t1", 1, "unknown"), ("send", 2, "w1", [1])]
    assert scene.tasks[0].deaths == 0


def test_who_killed_its_worker_is_blamed_also_when_the_supervisor_gave_that_up_first() -> None:
    scene = Scene(poison_after=2)
    scene.submit(scene.task("g", retry=Retry(attempts=9)))
    scene.announce("w1")
    assert told(scene.lose("w0")) == []
    assert told(scene.lose("w1")) == [("settle", 1, "poison")]


@pytest.mark.parametrize("fallback", ["g", None])
def test_a_task_whose_blame_becomes_certain_while_it_waits_does_not_run_again(fallback: str | None) -> None:
    scene = Scene(poison_after=1)
    scene.submit(scene.task(fallback=fallback, retry=Retry(attempts=9)))
    scene.lose("w0", may_live=True)
    lost = told(scene.lose("w0"))
    assert lost == ([("attempt", "t1", 1, "poison")] if fallback else [("settle", 1, "poison")])
    assert told(scene.announce("w1")) == ([("send", 2, "w1", [1])] if fallback else [])


def test_a_fallback_is_not_blamed_for_a_death_of_which_the_news_comes_late() -> None:
    scene = Scene(2, poison_after=1)
    scene.submit(scene.task(fallback="g", retry=Retry(attempts=1)))
    scene.lose("w0", may_live=True)
    assert scene.tasks[0].callee.name == "g"
    assert told(scene.lose("w0")) == []
    assert told(scene.reply(2, ok(1))) == [("settle", 1, "done")]


def test_the_blocked_parent_is_not_blamed_for_what_its_child_did() -> None:
    """The parent gave its slot back: whoever had it ended the worker."""
    scene = Scene(poison_after=1)
    scene.submit(scene.task("parent"))
    scene.wait(0.01)
    scene.recalled(1, running=1, blocked=True)
    scene.submit(scene.task("child"))
    lost = told(scene.lose("w0"))
    assert lost == [("settle", 2, "poison"), ("attempt", "t1", 1, "lost")]
    assert (scene.tasks[0].deaths, scene.tasks[0].charged) == (0, 0)


def test_a_task_alone_behind_a_batch_whose_results_are_on_their_way_is_the_one_that_ran() -> None:
    scene = Scene()
    scene.submit(scene.task(), scene.task())
    scene.wait(0.01)
    scene.reply(1)
    scene.lose("w0")
    assert [task.deaths for task in scene.tasks] == [0, 1]


def test_an_outcome_that_nobody_knows_is_surfaced_where_the_policy_forbids_a_second_run() -> None:
    scene = Scene(2)
    scene.submit(scene.task(retry=NEVER, fallback="g"))
    lost = scene.lose("w0")
    assert told(lost) == [("settle", 1, "unknown")]
    assert isinstance(_error(lost), OutcomeUnknownError)


def test_an_exception_is_a_known_outcome_and_may_be_tried_again() -> None:
    scene = Scene()
    scene.submit(scene.task(retry=AT_ONCE.model_copy(update={"unknown": "never"})))
    assert told(scene.reply(1, bad(1))) == [("attempt", "t1", 1, "failed"), ("send", 2, "w0", [1])]


def test_results_of_a_lost_worker_are_dropped() -> None:
    """Also when they were sent before its loss was noticed: its tasks already run elsewhere."""
    scene = Scene(2)
    scene.submit(scene.task())
    scene.lose("w0")
    assert scene.reply(1, ok(1)) == []
    assert told(scene.reply(2, ok(1))) == [("settle", 1, "done")]


def test_a_standby_steps_in_before_the_supervisor_says_so() -> None:
    scene = Scene(2, standbys=1)
    scene.submit(scene.task(), scene.task("g"))
    assert told(scene.lose("w0"))[-1][:3] == ("send", 3, "w1")


def test_a_loss_is_noticed_once() -> None:
    scene = Scene()
    scene.submit(scene.task())
    scene.lose("w0")
    assert scene.lose("w0") == []
    assert scene.lose("stranger") == []


def test_cancelled_tasks_are_not_sent_again_when_their_worker_is_lost() -> None:
    scene = _together(2, workers=2)
    scene.machine.cancelled(scene.tasks[0])
    assert told(scene.lose("w0")) == [("attempt", "t2", 1, "lost"), ("send", 2, "w1", [2])]


# -- workers out of reach --------------------------------------------------------------------------------------------


def test_a_worker_out_of_reach_comes_back_with_the_next_announcement() -> None:
    """Its tasks run elsewhere meanwhile; it is asked for what it still does of old, which holds its slot."""
    scene = Scene(2)
    scene.submit(scene.task("g"))
    assert told(scene.lose("w0", may_live=True)) == [("attempt", "t1", 1, "unknown"), ("send", 2, "w1", [1])]
    assert told(scene.announce()) == [("recall", "w0", 1)]
    assert scene.recalled(1) == []
    scene.submit(scene.task("g"))
    assert scene.tasks[1].attempt == 1


def test_a_dead_worker_stays_gone_whatever_an_older_announcement_says() -> None:
    scene = Scene()
    scene.lose("w0", may_live=True)
    scene.lose("w0")
    scene.announce()
    assert scene.submit(scene.task()) == []


def test_a_worker_that_came_back_is_ended_when_its_old_task_passes_its_limit() -> None:
    """The caller gave that task up; but it would hold the worker's slot for ever."""
    scene = Scene(2)
    scene.submit(scene.task("g", timeout_s=1.0))
    scene.lose("w0", may_live=True)
    scene.announce()
    scene.now += 2.0
    assert told(scene.recalled(1, running=1, running_s=2.0))[0] == ("kill", "w0")
    assert scene.lose("w0") == []


def test_a_worker_that_was_to_end_and_came_back_is_still_to_end() -> None:
    scene = Scene(2)
    scene.submit(scene.task("g", timeout_s=1.0))
    scene.wait(1.2)
    scene.recalled(1, running=1, running_s=1.2)
    scene.lose("w0", may_live=True)
    assert told(scene.announce())[:2] == [("kill", "w0"), ("recall", "w0", 1)]


def test_what_waits_at_a_worker_that_came_back_is_taken_from_it() -> None:
    scene = Scene(2)
    scene.submit(scene.task("g"))
    scene.lose("w0", may_live=True)
    scene.announce()
    assert scene.recalled(1, withdrawn=(1,), waiting=True) == []
    assert sorted(told(scene.wait(1.0))) == [("recall", "w0", 1), ("recall", "w1", 2)]
    assert scene.recalled(1) == [], "it has ended there: its reply was lost"
    assert scene.wait(9.0) == []


def test_nobody_is_blamed_when_a_worker_dies_that_may_have_run_something_old() -> None:
    scene = Scene(1)
    scene.submit(scene.task())
    scene.lose("w0", may_live=True)
    scene.announce()
    scene.recalled(1, running=1)
    scene.lose("w0")
    assert scene.tasks[0].deaths == 0


# -- limits ----------------------------------------------------------------------------------------------------------


def test_a_task_that_passes_its_limit_costs_its_workers_life() -> None:
    """Hard timeouts really end the work; the task itself is charged, and tried again as its policy says."""
    scene = Scene(2)
    scene.submit(scene.task("g", timeout_s=1.0, retry=AT_ONCE))
    assert told(scene.wait(0.01)) == [("recall", "w0", 1)]
    assert scene.recalled(1, running=1, running_s=0.01) == []
    scene.wait(1.09)
    assert told(scene.recalled(1, running=1, running_s=1.1)) == [("kill", "w0")]
    assert told(scene.lose("w0")) == [("attempt", "t1", 1, "timeout"), ("send", 2, "w1", [1])]


def test_a_timeout_that_the_policy_does_not_try_again_on_ends_the_task() -> None:
    scene = Scene(2)
    scene.submit(scene.task("g", timeout_s=1.0, retry=Retry(on=(OSError,), min_s=0)))
    scene.submit(scene.task("g", timeout_s=1.0, retry=Retry(on=(ValueError,), min_s=0)))
    scene.wait(1.2)
    scene.recalled(1, running=1, running_s=1.2)
    scene.recalled(2, running=2, running_s=1.2)
    assert told(scene.lose("w0"))[0][0] == "attempt", "a TaskTimeoutError is a TimeoutError, and that an OSError"
    lost = scene.lose("w1")
    assert ("settle", 2, "timeout") in told(lost)
    assert isinstance(_error(lost), TaskTimeoutError)


def test_a_task_that_was_killed_at_its_limit_is_not_run_again_where_the_policy_forbids_it() -> None:
    """How much of it happened is not known."""
    scene = Scene(2)
    scene.submit(scene.task("g", timeout_s=1.0, retry=NEVER))
    scene.wait(1.2)
    scene.recalled(1, running=1, running_s=1.2)
    assert told(scene.lose("w0")) == [("settle", 1, "timeout")]


def test_others_at_a_worker_that_is_ended_are_not_charged() -> None:
    scene = Scene()
    scene.submit(scene.task(timeout_s=1.0), scene.task())
    scene.wait(1.2)
    scene.recalled(1, running=1, running_s=1.2)
    scene.announce("w0", "w1")
    assert told(scene.lose("w0")) == [("attempt", "t1", 1, "timeout"), ("send", 3, "w1", [2])]
    assert (scene.tasks[1].charged, scene.tasks[1].solo) == (1, False)


def test_whoever_may_have_begun_beside_the_culprit_is_surfaced_where_the_policy_forbids_a_second_run() -> None:
    """The culprit had given its slot back, and the other one may have had it."""
    scene = Scene()
    scene.submit(scene.task("parent", timeout_s=1.0))
    scene.wait(0.01)
    scene.recalled(1, running=1, running_s=0.01, blocked=True)
    scene.submit(scene.task(retry=NEVER))
    scene.wait(1.2)
    scene.recalled(1, running=1, running_s=1.2, blocked=True)
    assert told(scene.lose("w0")) == [("settle", 2, "unknown"), ("attempt", "t1", 1, "timeout")]


def test_an_order_to_end_a_worker_is_repeated_until_its_end_is_heard_of() -> None:
    scene = Scene()
    scene.submit(scene.task("g", timeout_s=1.0))
    scene.wait(1.2)
    assert told(scene.recalled(1, running=1, running_s=1.2)) == [("kill", "w0")]
    assert told(scene.wait(3.0)).count(("kill", "w0")) == 3
    scene.lose("w0")
    assert scene.wait(9.0) == []


def test_a_worker_that_is_to_end_gets_no_tasks_and_is_not_ended_twice() -> None:
    scene = Scene()
    scene.submit(scene.task("parent", timeout_s=1.0))
    scene.wait(0.01)
    scene.recalled(1, running=1, running_s=0.01, blocked=True)
    scene.submit(scene.task("child", timeout_s=1.0))
    scene.wait(1.2)
    assert told(scene.recalled(1, running=1, running_s=1.3, blocked=True)) == [("kill", "w0")]
    assert scene.recalled(2, running=2, running_s=1.3) == []
    assert scene.submit(scene.task()) == []


@pytest.mark.parametrize("grace_s", [0.1, 4.0])
def test_a_worker_that_answers_no_look_is_ended_when_the_limit_must_have_passed(grace_s: float) -> None:
    scene = Scene(2, grace_s=grace_s)
    scene.submit(scene.task("g", timeout_s=1.0, retry=AT_ONCE))
    patience_s = 1.0 + max(grace_s, 1.0)
    assert told(scene.wait(patience_s)) == [("recall", "w0", 1)]
    assert told(scene.wait(0.02)) == [("kill", "w0")]
    assert told(scene.lose("w0")) == [("attempt", "t1", 1, "timeout"), ("send", 2, "w1", [1])]


def test_a_caller_that_was_stopped_itself_ends_no_worker_for_its_own_absence() -> None:
    """The answer to its look may lie unread: it gets a moment to be read in."""
    scene = Scene(2)
    scene.submit(scene.task("g", timeout_s=1.0, retry=AT_ONCE))
    assert told(scene.wait(0.5)) == [("recall", "w0", 1)]
    scene.now += 60.0
    assert told(scene.wait(0.9)) == []
    assert told(scene.wait(0.2)) == [("kill", "w0")]


def test_nobody_is_blamed_when_several_may_have_held_the_worker() -> None:
    """An innocent one that stood first in the call would else be charged, again and again."""
    scene = Scene(0)
    scene.submit(scene.task(timeout_s=1.0), scene.task(timeout_s=1.0))
    scene.names = ["w0"]
    scene.announce()
    assert told(scene.wait(2.1)) == [("recall", "w0", 1), ("kill", "w0")]
    scene.lose("w0")
    assert [(task.charged, task.deaths, task.solo) for task in scene.tasks] == [(0, 0, True)] * 2


def test_a_look_on_its_way_does_not_make_a_worker_silent() -> None:
    """It answered every earlier one: what counts is how long this one has been out."""
    scene = Scene(grace_s=0.9)
    scene.submit(scene.task("g", timeout_s=1.0))
    for _ in range(100):
        for command in told(scene.wait(0.02)):
            assert command == ("recall", "w0", 1)
            scene.recalled(1, running=1, running_s=min(1.8, scene.now - 10.0), blocked=False)
    assert scene.machine._batches[1].recalling is False
    scene.machine._batches[1].recalling, scene.machine._batches[1].asked_at = True, scene.now
    assert ("kill", "w0") not in told(scene.wait(1.0))


def test_a_batch_behind_a_long_one_does_not_cost_that_ones_life() -> None:
    """Its limit begins with its run. But calls overtake each other, so patience ends some time, at nobody's charge."""
    scene = Scene(1)
    scene.submit(scene.task(), scene.task(timeout_s=1.0))
    assert ("kill", "w0") not in told(scene.wait(15.0))
    assert ("kill", "w0") in told(scene.wait(10.0))
    scene.lose("w0")
    assert [(task.charged, task.deaths) for task in scene.tasks] == [(0, 0)] * 2
