"""The test matrix: how a child ends that is asked to, and that none can hold the supervisor."""

from __future__ import annotations

import pytest

from supervisor import messages as m
from supervisor import requests as r
from tests.unit.supervision.scene import STOPPED, Scene, child, group, only, pool, records, said

END_A = r.Terminate(member="child/a")


def test_stop_waits() -> None:
    """It is asked, has its time, and is over when its process is."""
    scene = Scene(child("a", shutdown_s=5.0)).up()
    commands = scene.ask(END_A, "r")
    assert commands == [m.Publish(), m.AskStop(key="child/a", incarnation=1)]
    assert scene.statuses() == {"a": "stopping"}
    assert said(scene.wait(4.9)) == []
    assert said(scene.stopped("a")) == ["kill a#1"]
    commands = scene.died("a", "killed")
    assert records(commands) == ["a#1 stopped"]
    assert said(commands) == ["answer r ok"]
    assert only(commands, m.Publish) == [m.Publish()]
    assert scene.statuses() == {"a": "stopped"}


def test_stop_of_a_child_that_ends_itself() -> None:
    scene = Scene(child("a")).up()
    scene.ask(END_A, "r")
    scene.announce("a", "normal")
    assert said(scene.died("a", "normal")) == ["answer r ok"]


def test_stop_times_out_and_kills() -> None:
    scene = Scene(child("a", shutdown_s=2.0)).up()
    scene.ask(END_A, "r")
    assert said(scene.wait(1.99)) == []
    commands = scene.wait(0.02)
    assert records(commands) == ["a#1 killed: did not stop in time"]
    assert said(commands) == ["kill a#1"]
    assert said(scene.stopped("a")) == [], "too late"
    assert said(scene.died("a", "killed")) == ["answer r ok"]


def test_who_stopped_in_time_is_not_said_to_have_been_late() -> None:
    """Its death may take longer to be told than its time lasts."""
    scene = Scene(child("a", shutdown_s=2.0)).up()
    scene.ask(END_A, "r")
    scene.wait(1.9)
    assert said(scene.stopped("a")) == ["kill a#1"]
    assert scene.wait(1.0) == []


def test_a_killed_child_whose_death_nobody_tells_is_taken_for_gone() -> None:
    """It is fenced: whatever still runs of it changes nothing."""
    scene = Scene(child("a", shutdown_s=2.0)).up()
    scene.ask(END_A, "r")
    scene.wait(2.0)
    assert said(scene.wait(4.9)) == []
    assert said(scene.wait(0.2)) == ["answer r ok"]
    assert scene.died("a", "killed") == []


def test_brutal_kill() -> None:
    """It is announced and killed, not asked."""
    scene = Scene(child("a", shutdown_s="brutal_kill")).up()
    commands = scene.ask(END_A, "r")
    assert commands[0] == m.Publish()
    assert said(commands) == ["kill a#1"]
    assert said(scene.died("a", "killed")) == ["answer r ok"]


def test_infinity_waits_as_long_as_it_takes() -> None:
    scene = Scene(child("a", shutdown_s="infinity")).up()
    scene.ask(END_A, "r")
    assert said(scene.wait(10_000.0)) == []
    assert said(scene.stopped("a")) == ["kill a#1"]


def test_a_child_that_starts_is_not_asked() -> None:
    scene = Scene(child("a"))
    scene.lead()
    assert said(scene.ask(END_A, "r")) == ["kill a#1"]
    assert scene.ready("a") == []
    assert said(scene.died("a", "killed")) == ["answer r ok"]


@pytest.mark.parametrize("end", ["failed", "ignored"])
def test_a_child_that_turns_out_not_to_start_while_it_is_ended_has_ended(end: str) -> None:
    scene = Scene(child("a"))
    scene.lead()
    scene.ask(END_A, "r")
    assert said(getattr(scene, end)("a")) == ["kill a#1", "answer r ok"]
    assert scene.statuses() == {"a": "stopped"}


def test_a_shared_child_ends_without_its_process() -> None:
    scene = Scene(child("a", share="p")).up()
    scene.ask(END_A, "r")
    assert said(scene.stopped("a")) == ["fence a#1", "answer r ok"]


def test_naughty_child_cannot_hang_shutdown() -> None:
    """One never answers, one is stopped by a signal, one fails, one is never told dead: all is bounded."""
    scene = Scene(
        child("a", shutdown_s=2.0), group("g", child("b", shutdown_s=3.0), child("c", shutdown_s=1.0)), child("d")
    ).up()
    began = scene.now
    commands = scene.shut_down()
    scene.died("d", "crash")
    while scene.machine.next_timer() is not None and not only(commands, m.Finish):
        commands = scene.wait(0.5)
        scene.evidence("a", STOPPED)
    assert scene.now - began <= 2.0 + 3.0 + 1.0 + 3 * 5.0 + 1.0
    assert only(commands, m.Finish) == [m.Finish()]
    assert set(scene.statuses().values()) == {"stopped"}


def test_shutdown_in_reverse_order_one_by_one() -> None:
    scene = Scene(child("a"), group("g", child("b"), child("c")), child("d")).up()
    assert said(scene.shut_down()) == ["ask d#1"]
    assert said(scene.stopped("d")) == ["kill d#1"]
    assert said(scene.died("d")) == ["ask g.c#1"]
    assert said(scene.died("g.c")) == ["ask g.b#1"]
    assert said(scene.died("g.b")) == ["ask a#1"]
    assert said(scene.died("a")) == ["finish"]


def test_pool_shutdown_in_parallel_and_bounded() -> None:
    """All are asked at once and share one limit, however many they are."""
    scene = Scene(pool("p", 50, child={"shutdown_s": 2.0})).up()
    assert sorted(said(scene.shut_down())) == sorted(f"ask p-{number}#1" for number in range(50))
    assert said(scene.wait(1.9)) == []
    assert len(said(scene.wait(0.2))) == 50
    assert said(scene.wait(5.0))[-1] == "finish"


def test_shutdown_while_a_group_restarts() -> None:
    scene = Scene(group("g", child("a"), child("b"), child("c"), strategy="one_for_all")).up()
    assert said(scene.died("g.a")) == ["restart g.a crash", "ask g.c#1"]
    assert said(scene.shut_down()) == []
    assert scene.run(scene.died("g.c")) == ["ask g.b#1", "kill g.b#1", "finish"]


def test_shutdown_while_a_group_starts() -> None:
    scene = Scene(group("g", child("a"), child("b"), child("c")))
    scene.lead()
    scene.ready("g.a")
    assert scene.run(scene.shut_down()) == ["kill g.b#1", "ask g.a#1", "kill g.a#1", "finish"]


def test_a_member_that_dies_by_itself_before_its_turn_takes_its_standbys_along() -> None:
    """They are ended before the group says that it has."""
    scene = Scene(group("g", child("a", standbys=1), child("b"))).up()
    scene.ask(r.Terminate(member="g"), "r")
    assert said(scene.died("g.a")) == ["ask g.a#2"]
    assert said(scene.died("g.b")) == []
    assert said(scene.stopped("g.a", 2)) == ["kill g.a#2"]
    assert said(scene.died("g.a", "killed", 2)) == ["answer r ok"]


def test_restart_loop_that_never_succeeds_is_answered_and_can_be_ended() -> None:
    scene = Scene(child("a"), child("b")).up()
    scene.died("a")
    for attempt in range(30):
        scene.failed("a")
        assert said(scene.add(child(f"n{attempt}", restart="temporary"), request=f"r{attempt}")) == [
            f"start n{attempt}#1"
        ]
        assert said(scene.ready(f"n{attempt}")) == [f"answer r{attempt} ok"]
        if attempt < 29:
            scene.wait(6.0)
    assert scene.child("a").status == "restarting"
    assert said(scene.ask(END_A, "r")) == ["answer r ok"]
    assert said(scene.wait(99.0)) == []
    assert scene.statuses()["a"] == "stopped"


@pytest.mark.parametrize("strategy", ["one_for_one", "one_for_all", "rest_for_one"])
def test_a_group_in_a_restart_loop_can_be_ended_and_shut_down(strategy: str) -> None:
    for wish in (r.Terminate(member="g"), None):
        scene = Scene(group("g", child("a"), child("b"), strategy=strategy)).up()
        scene.run(scene.died("g.b"), fails=["g.b"])
        assert scene.child("g.b").status == "restarting"
        done = scene.run(scene.shut_down() if wish is None else scene.ask(wish, "r"))
        assert done[-1] == ("finish" if wish is None else "answer r ok")
        assert [text for text in scene.run(scene.wait(99.0)) if text.startswith("start")] == []
