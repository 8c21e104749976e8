"""Who leads among the holders of the root's names, and what a standby and its leader do about each other."""

from __future__ import annotations

from random import Random

import pytest

from actors.runtime.process import ProcessEvidence
from actors.runtime.replicated import Replica
from supervisor.succession import (
    BLIND_S,
    LOOK_S,
    SETTLE_S,
    SILENCE_S,
    STANDSTILL,
    Life,
    Office,
    Sighting,
    StandbyPlan,
    Standstill,
    Watch,
    leader_among,
    may_lead,
    may_make,
    newest,
    standby_node,
)

TICK_S = 0.25


def leader(number: int, standby: int = 0) -> Office:
    return Office(number, "leader", standby)


def standby(number: int, follows: int) -> Office:
    return Office(number, "standby", follows)


# -- who leads ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("living", "offices", "after", "found"),
    [
        ([], [], 0, None),
        ([3], [], 3, None),
        ([3], [], 0, Sighting(3, certain=True)),
        ([4], [standby(4, 3)], 0, Sighting(4, certain=True)),
        ([3, 4], [leader(3, 4)], 0, Sighting(3, certain=True)),
        ([3, 4], [leader(3, 4), standby(4, 3)], 0, Sighting(3, certain=True)),
        ([3, 4], [standby(4, 3)], 0, Sighting(3, certain=False)),
        ([3, 4], [standby(4, 2)], 0, Sighting(3, certain=False)),
        ([3, 4], [], 0, Sighting(3, certain=False)),
        ([3, 4], [], 3, Sighting(4, certain=True)),
        ([3, 4], [leader(4)], 0, Sighting(4, certain=True)),
        ([3, 4], [leader(3, 0)], 0, Sighting(3, certain=False)),
        ([3, 5], [leader(3, 4)], 0, Sighting(3, certain=False)),
        ([3, 4, 5], [leader(3, 4), leader(4, 5)], 0, Sighting(4, certain=True)),
        ([3, 4, 5], [leader(3, 4), leader(4, 5), standby(5, 4)], 0, Sighting(4, certain=True)),
        ([2, 3, 4], [standby(4, 3)], 0, Sighting(3, certain=False)),
        ([4, 5], [standby(4, 3), standby(5, 3)], 0, Sighting(4, certain=True)),
    ],
    ids=[
        "nobody",
        "only one that was replaced",
        "one alone, unasked",
        "a standby left alone",
        "a leader names the other as its standby",
        "both answer",
        "the leader is silent, its standby follows it",
        "the standby follows one that is gone",
        "nobody answers",
        "the leader is known to be over",
        "the later leads, the earlier is silent",
        "a later one that the leader did not make is silent",
        "and one other than its standby",
        "a replaced leader that has not learned it",
        "three answer",
        "one that was stopped long ago, beside a silent leader",
        "two standbys of one that is gone",
    ],
)
def test_who_leads(living, offices, after, found) -> None:
    assert leader_among(living, offices, after=after) == found


def test_a_standby_that_was_passed_over_may_not_lead() -> None:
    dead, alive = [Life(n, alive=False) for n in (1, 2, 3, 5)], Life(4, alive=True)
    assert may_lead(4, 3, [])
    assert may_lead(4, 3, [*dead[:3], alive])
    assert may_lead(4, 1, [*dead[:3], alive])
    assert not may_lead(4, 3, [*dead, alive]), "a later one died already"
    assert may_lead(4, 3, [alive, Life(5, alive=False, ran=False)]), "whoever made the later one died before it began"
    assert not may_lead(4, 3, [alive, Life(5, alive=True, ran=False)])
    assert not may_lead(4, 2, [Life(3, alive=True), alive]), "its leader had been replaced when it made this one"
    assert may_lead(4, 3, [Life(3, alive=True), alive]), "the table may learn of the leader's death last"


def test_a_leader_beside_a_later_life_makes_no_standby() -> None:
    assert may_make(3, [Life(2, alive=True), Life(3, alive=True), Life(4, alive=False)])
    assert not may_make(3, [Life(3, alive=True), Life(4, alive=True)])


def test_the_newest_copy_is_the_latest_incarnations_latest_version() -> None:
    old, new, later = Replica(1, 9, b"old"), Replica(2, 1, b"new"), Replica(2, 3, b"later")
    assert newest([]) is None
    assert newest([None, old, later, None, new]) is later


def test_a_standby_is_on_another_node_where_there_is_one() -> None:
    rng = Random(1)
    assert {standby_node(["a", "b", "c"], "a", (), rng) for _ in range(50)} == {"b", "c"}
    assert standby_node(["a"], "a", (), rng) == "a"


def test_a_node_where_it_does_not_come_up_is_passed_by() -> None:
    rng = Random(1)
    assert {standby_node(["a", "b", "c"], "a", {"b"}, rng) for _ in range(50)} == {"c"}
    assert standby_node(["a", "b"], "a", {"b"}, rng) == "a"


# -- the standby -------------------------------------------------------------------------------------------------------


def seen(state: str, at: float, ticks: int = 5) -> ProcessEvidence:
    return ProcessEvidence(state=state, cpu_ticks=ticks, seen_at=at)


def silent(watch: Watch, until: float, since: float = 0.0) -> list[tuple[float, str]]:
    """Ticks from `since` until `until`; what was decided, but for waiting."""
    steps = [(since + TICK_S * n, watch.tick(since + TICK_S * n)) for n in range(1, int((until - since) / TICK_S) + 1)]
    return [(at, step) for at, step in steps if step != "wait"]


def test_a_leader_that_is_told_dead_is_succeeded_once() -> None:
    watch = Watch(4, 3, 0.0)
    assert watch.told_gone(2) == "wait"
    assert not watch.over
    assert watch.told_gone(3) == "lead"
    assert watch.over
    assert watch.told_gone(3) == "wait"
    assert watch.heard(3, 1.0) == "refuse"


def test_a_leader_that_is_heard_is_not_looked_at() -> None:
    watch = Watch(4, 3, 0.0)
    for second in range(1, 20):
        assert silent(watch, second, since=second - 1) == []
        assert watch.heard(3, float(second)) == "wait"


def test_a_silent_leader_is_looked_at_again_and_again() -> None:
    watch = Watch(4, 3, 0.0)
    assert silent(watch, SILENCE_S + 2 * LOOK_S) == [(SILENCE_S + LOOK_S * n, "look") for n in range(3)]


def test_a_silent_leader_that_works_or_may_work_is_left_alone() -> None:
    watch = Watch(4, 3, 0.0)
    silent(watch, 3.0)
    assert watch.weigh(seen("S", 3.0), 3.0) == "wait"
    silent(watch, 4.0, since=3.0)
    assert watch.weigh(seen("R", 4.0, ticks=50), 4.0) == "wait"
    assert watch.heard(3, 4.5) == "wait"
    assert watch.weigh(seen("T", 4.6), 4.6) == "wait", "it spoke while it was looked at"


def test_a_hung_leader_is_fenced_until_it_is_dead_and_only_then_succeeded() -> None:
    watch = Watch(4, 3, 0.0)
    silent(watch, 3.0)
    assert watch.weigh(seen("T", 3.0), 3.0) == "fence"
    assert watch.heard(3, 3.1) == "refuse", "its SIGKILL is on the way"
    assert silent(watch, 4.0, since=3.0) == [(4.0, "look")]
    assert watch.weigh(seen("T", 4.0), 4.0) == "fence"
    assert not watch.over
    assert watch.weigh(seen("Z", 4.1), 4.1) == "lead"
    assert watch.weigh(seen("", 4.2), 4.2) == "wait"


def test_a_standby_that_was_stopped_itself_listens_anew() -> None:
    watch = Watch(4, 3, 0.0)
    assert watch.tick(100.0) == "wait"
    assert silent(watch, 102.75, since=100.0) == []
    assert silent(watch, 103.0, since=102.75) == [(103.0, "look")]
    assert BLIND_S < SILENCE_S


def test_an_earlier_leader_is_refused_a_later_one_or_the_end_ends_the_standby() -> None:
    assert Watch(4, 3, 0.0).heard(2, 1.0) == "refuse"
    passed_over, needless = Watch(4, 3, 0.0), Watch(4, 3, 0.0)
    assert passed_over.heard(5, 1.0) == "end"
    assert needless.heard(3, 1.0, stopping=True) == "end"
    assert passed_over.over
    assert needless.tick(1.1) == "wait"
    assert needless.told_gone(3) == "wait", "what was asked to end has no successor"


def test_a_watch_that_stands_still_is_given_up_and_one_that_turns_is_not() -> None:
    standstill = Standstill()
    turning = [standstill.after(turns) for turns in range(5 * STANDSTILL)]
    standing = [standstill.after(0) for _ in range(STANDSTILL)]
    assert not any(turning + standing)
    assert standstill.after(0)


# -- its leader --------------------------------------------------------------------------------------------------------


def test_the_first_standby_is_made_when_the_tree_runs_or_the_patience_is_over() -> None:
    plan, patient = StandbyPlan(Random(1), 0.0), StandbyPlan(Random(1), 0.0)
    assert not plan.take(1.0)
    plan.settled(1.5)
    assert plan.take(1.5)
    assert not plan.take(2.0), "one is under way"
    plan.settled(3.0)
    assert not plan.take(SETTLE_S + 1.0)
    assert not patient.take(SETTLE_S - 0.1)
    assert patient.take(SETTLE_S)


def test_a_standby_that_is_lost_again_and_again_is_made_ever_more_seldom() -> None:
    plan, now = StandbyPlan(Random(1), 0.0), 20.0
    waits: list[float] = []
    for _ in range(12):
        assert plan.take(now)
        plan.lost(now)
        plan.settled(now)
        due = now
        while not plan.take(due):
            due += 0.1
        plan.lost(due)
        waits.append(due - now)
        now = due + 40.0
    assert waits[0] == 0.0
    assert waits[1] < 2.0
    assert max(waits) <= StandbyPlan.MAX_S + 0.1


def test_a_standby_that_lived_long_is_replaced_at_once() -> None:
    plan = StandbyPlan(Random(1), 0.0)
    for at in (10.0, 10.0):
        assert plan.take(at)
        plan.lost(at)
    assert not plan.take(10.0)
    assert plan.take(11.0)
    plan.lost(11.0 + StandbyPlan.RESET_AFTER_S)
    assert plan.take(11.0 + StandbyPlan.RESET_AFTER_S)


def test_a_silent_standby_is_looked_at_and_a_hung_one_known() -> None:
    plan = StandbyPlan(Random(1), 0.0)
    assert not plan.is_silent(50.0), "there is none"
    assert not plan.is_late(50.0, 10.0)
    plan.take(50.0)
    assert not plan.is_silent(51.0)
    assert plan.is_silent(53.0)
    assert not plan.is_hung(seen("S", 53.0))
    assert plan.is_hung(seen("S", 54.0))
    assert not plan.is_late(60.0, 10.0)
    assert plan.is_late(60.1, 10.0)
    plan.answered(54.0)
    assert not plan.is_silent(55.0)
    assert not plan.is_hung(seen("S", 58.0)), "it answered since"
