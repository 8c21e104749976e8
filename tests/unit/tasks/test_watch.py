"""A batch that takes long is looked at: its results come early, and what has not started runs elsewhere."""

from __future__ import annotations

from itertools import pairwise

import pytest

from supervisor.tasks.crew import BATCHES_HELD_MAX
from tests.unit.tasks.scene import Scene, ok, told


def _one_call(count: int, workers: int = 1) -> Scene:
    """So many tasks in one call at w0, the other workers busy with something long."""
    scene = Scene(0)
    scene.submit(*(scene.task() for _ in range(count)))
    scene.names = ["w0"]
    scene.announce()
    scene.names = [f"w{number}" for number in range(workers)]
    scene.announce()
    return scene


def test_a_batch_that_takes_longer_than_expected_is_looked_at() -> None:
    scene = _one_call(3, workers=2)
    assert scene.wait(0.004) == []
    assert told(scene.wait(0.002)) == [("recall", "w0", 1)]


def test_finished_results_come_early_and_what_has_not_started_runs_elsewhere() -> None:
    """In its old order, and uncharged."""
    scene = _one_call(4, workers=2)
    scene.wait(0.01)
    early = scene.recalled(1, ok(1), withdrawn=(3, 4), running=2)
    assert told(early) == [("settle", 1, "done"), ("send", 2, "w1", [3, 4])]
    assert [task.attempt for task in scene.tasks] == [1, 1, 1, 1]


def test_a_batch_that_is_torn_for_nothing_is_left_whole_for_a_while() -> None:
    """While no worker is idle, nothing is won by taking tasks back: the look waits until the results have."""
    scene = _one_call(3)
    assert scene.wait(0.029) == []
    assert told(scene.wait(0.005)) == [("recall", "w0", 1)]


def test_a_single_task_is_looked_at_in_any_case() -> None:
    """It may be waiting for another one, and give its slot back."""
    scene = _one_call(1)
    assert told(scene.wait(0.01)) == [("recall", "w0", 1)]


def test_looks_grow_rarer_up_to_the_longest_time_between_two() -> None:
    scene = Scene(recall_max_s=0.05)
    scene.submit(scene.task("g"))
    looks: list[float] = []
    for _ in range(400):
        for command in told(scene.wait(0.001)):
            assert command == ("recall", "w0", 1)
            looks.append(scene.now)
            scene.recalled(1, running=1)
    waits = [later - earlier for earlier, later in pairwise(looks)]
    assert waits == pytest.approx([0.01, 0.02, 0.04] + [0.05] * (len(waits) - 3), abs=0.0015)


def test_one_look_is_under_way_at_a_time() -> None:
    scene = Scene()
    scene.submit(scene.task("g"))
    assert told(scene.wait(60.0)) == [("recall", "w0", 1)]


def test_a_look_falls_on_the_moment_when_the_limit_is_over() -> None:
    scene = Scene(recall_max_s=9.0, grace_s=0.1)
    scene.submit(scene.task("g", timeout_s=0.5))
    scene.wait(0.009)
    scene.recalled(1, running=1, running_s=0.009)
    for _ in range(5):
        scene.wait(0.1)
        scene.recalled(1, running=1, running_s=scene.now - 10.0)
    assert told(scene.wait(0.1)) == [("recall", "w0", 1)]
    assert told(scene.recalled(1, running=1, running_s=0.601)) == [("kill", "w0")]


def test_a_coroutine_gets_more_grace_since_it_ends_by_itself() -> None:
    """It is cancelled at its limit, and may need a moment to clean up; its worker need not die for it."""
    scene = Scene(grace_s=0.1, yield_grace_s=2.0)
    scene.submit(scene.task("g", timeout_s=1.0))
    scene.wait(0.01)
    assert scene.recalled(1, running=1, running_s=2.9, yielding=True) == []
    assert told(scene.wait(0.11)) == [("recall", "w0", 1)]
    assert told(scene.recalled(1, running=1, running_s=3.01, yielding=True)) == [("kill", "w0")]


def test_a_reply_that_comes_before_the_look_is_answered_closes_the_batch_with_that_answer() -> None:
    """What the look carries is neither lost nor taken for not run."""
    scene = _one_call(3, workers=2)
    scene.wait(0.01)
    assert told(scene.reply(1, ok(2))) == [("settle", 2, "done")]
    assert told(scene.recalled(1, ok(1), withdrawn=(3,), running=2)) == [("settle", 1, "done"), ("send", 2, "w1", [3])]
    assert scene.reply(1, ok(3)) == []


def test_a_batch_that_closed_is_not_looked_at_again() -> None:
    scene = Scene()
    scene.submit(scene.task("g", timeout_s=1.0))
    scene.wait(0.01)
    scene.reply(1, ok(1))
    assert scene.machine._batches[1].closed
    scene.machine._timers.set(scene.now, "recall", 1)
    assert scene.wait(9.0) == []


def test_a_slow_worker_gets_no_second_batch_but_one_whose_task_waits_does() -> None:
    """The task that waits for another one has given its slot back: a full pool cannot deadlock on itself."""
    scene = Scene()
    scene.submit(scene.task("g"))
    scene.wait(0.01)
    scene.recalled(1, running=1)
    assert scene.submit(scene.task()) == []
    scene.wait(0.011)
    assert told(scene.recalled(1, running=1, blocked=True)) == [("send", 2, "w0", [2])]


def test_a_batch_that_overtook_nothing_and_waits_is_given_back_whole() -> None:
    scene = Scene(2)
    scene.submit(scene.task("g"), scene.task("g"), scene.task())
    scene.wait(0.02)
    scene.recalled(1, running=1)
    scene.reply(2, ok(2))
    assert told(scene.recalled(3, withdrawn=(3,), waiting=True)) == [("send", 4, "w1", [3])]
    assert scene.reply(3) == []


def test_the_batches_that_a_worker_holds_are_bounded() -> None:
    """Each holds one of its threads, also while its task waits for another; the tasks waited for need threads too."""
    scene = Scene()
    for number in range(1, 100):
        scene.submit(scene.task("g"))
        if number in scene.machine._batches:
            scene.wait(0.01)
            scene.recalled(number, running=number, blocked=True)
    assert len(scene.machine._batches) == BATCHES_HELD_MAX
    scene.recalled(1, running=1, blocked=True)
    assert told(scene.reply(1, ok(1)))[-1][0] == "send"


def test_a_function_that_always_took_longer_is_ended_at_its_limit_all_the_same() -> None:
    scene = Scene(grace_s=0.1)
    scene.machine._pace.record("g", 1, 60_000_000)
    scene.submit(scene.task("g", timeout_s=0.3))
    sent_at, ends = scene.now, []
    for _ in range(200):
        for what, *_ in told(scene.wait(0.01)):
            if what == "recall":
                scene.recalled(1, running=1, running_s=scene.now - sent_at)
        ends = ends or ([scene.now - sent_at] if scene.machine._crew["w0"].killing else [])
    assert ends == [pytest.approx(0.4, abs=0.025)]
