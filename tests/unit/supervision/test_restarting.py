"""Whether and when a member is restarted, and whom that concerns."""

from __future__ import annotations

import pytest

from supervisor.supervision.restarting import concerned, count_restart, is_restarted, pause_s
from supervisor.tree import BackoffPlan, ExitClass, Group, GroupPlan, Life, Strategy
from tests.unit.supervision.scene import Steady, where


def group(strategy: Strategy = "one_for_one", intensity: int = 2) -> Group:
    plan = GroupPlan(path="g", strategy=strategy, intensity=intensity, period_s=5.0, backoff=BackoffPlan(jitter=0.0))
    return Group(plan, members=dict.fromkeys("abcd"))


@pytest.mark.parametrize(
    ("strategy", "whom"),
    [("one_for_one", ["b"]), ("one_for_all", ["a", "b", "c", "d"]), ("rest_for_one", ["b", "c", "d"])],
)
def test_whom_a_restart_concerns(strategy: Strategy, whom: list[str]) -> None:
    assert concerned(group(strategy), "b") == whom


def test_only_a_transient_child_cares_how_it_ended() -> None:
    exits: tuple[ExitClass, ...] = ("normal", "shutdown", "crash", "hung", "preempted")
    assert [is_restarted("permanent", each) for each in exits] == [True] * 5
    assert [is_restarted("transient", each) for each in exits] == [False, False, True, True, True]
    assert [is_restarted("temporary", each) for each in exits] == [False] * 5


def test_restarts_count_until_there_are_too_many() -> None:
    counted = group()
    assert [count_restart(counted, "crash", None, now) for now in (0.0, 1.0, 2.0, 9.0)] == [True, True, False, True]


def test_what_somebody_wanted_does_not_count() -> None:
    counted = group(intensity=0)
    assert count_restart(counted, "preempted", None, 0.0)
    assert count_restart(counted, "task_limit", None, 0.0)
    assert counted.restarted_at == ()


def test_a_lost_node_counts_once_within_the_period() -> None:
    counted = group(intensity=9)
    lives = [
        Life(1, location=where("n")),
        Life(1, node_id="o"),
        Life(1, location=where("n")),
        Life(1),
        Life(1, node_id="o"),
    ]
    for life in lives:
        assert count_restart(counted, "node_lost", life, 1.0)
    assert counted.restarted_at == (1.0,) * 3, "two nodes, and one whose place nobody knew"
    assert count_restart(counted, "node_lost", None, 2.0)
    assert count_restart(counted, "node_lost", lives[0], 6.1)
    assert len(counted.restarted_at) == 2 + 0
    assert counted.lost == {"n": 6.1}


def test_pauses_grow_by_kind_and_fall_back_with_health() -> None:
    in_a_row: dict[ExitClass, int] = {}
    waits: list[float] = []
    script: list[tuple[ExitClass, float]] = [
        *(("crash", 0.0), ("killed", 0.0), ("hung", 4.9), ("task_limit", 0.0), ("out_of_memory", 0.0)),
        *(("out_of_memory", 0.0), ("crash", 5.0), ("preempted", 0.0), ("preempted", 0.0)),
    ]
    for exit_class, healthy_s in script:
        waits.append(round(pause_s(group(), in_a_row, exit_class, healthy_s=healthy_s, rng=Steady()), 3))
    assert waits == [0.0, 0.1, 0.2, 0.0, 0.0, 0.9, 0.0, 0.0, 0.45]
