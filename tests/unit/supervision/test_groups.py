"""What a member's news means for its group; the rules themselves are in the test matrix."""

from __future__ import annotations

from supervisor import requests as r
from tests.unit.supervision.scene import W0, W1, Scene, acts, child, group, said, workers


def test_a_stale_pause_does_not_shorten_the_next() -> None:
    """A member is ended while it waits, started on request, and fails again: its first pause means nothing any more."""
    scene = Scene(child("a")).up()
    for _ in range(5):
        scene.died("a")
        scene.run(scene.wait(2.0))
        scene.answered("a")
    scene.died("a")  # it waits 1.6 s
    assert said(scene.ask(r.Terminate(member="child/a"), "r")) == ["answer r ok"]
    scene.run(scene.ask(r.RestartMember(member="child/a")))
    scene.died("a")  # and 3.2 s now
    assert acts(scene.wait(3.1)) == []
    assert acts(scene.wait(0.2)) == ["start a#8"]


def test_a_pause_that_is_over_starts_nothing_in_a_group_that_ends() -> None:
    scene = Scene(group("g", child("a"), child("b"))).up()
    scene.died("g.b")
    scene.failed("g.b")
    scene.ask(r.Terminate(member="g"), "r")
    assert acts(scene.wait(1.0)) == []
    assert said(scene.died("g.a")) == ["answer r ok"]


def test_a_groups_pause_that_is_over_starts_nothing_when_the_group_has_ended() -> None:
    scene = Scene(group("g", child("a"), child("b"), strategy="one_for_all")).up()
    scene.run(scene.died("g.b"), fails=["g.b"])
    scene.run(scene.ask(r.Terminate(member="g"), "r"))
    assert acts(scene.wait(1.0)) == []
    assert scene.group("g").status == "stopped"


def test_a_member_that_fails_to_start_before_its_turn_to_end_has_ended() -> None:
    scene = Scene(group("g", child("a"), child("b"))).up()
    scene.run(scene.ask(r.Terminate(member="child/g.a")))
    scene.ask(r.RestartMember(member="child/g.a"), "r")
    assert said(scene.ask(r.Terminate(member="g"), "s")) == ["ask g.b#1"]
    assert said(scene.failed("g.a")) == ["kill g.a#2", "answer r start_failed"]
    assert said(scene.died("g.b")) == ["answer s ok"]


def test_a_standby_that_became_ready_during_the_pause_serves_after_it() -> None:
    scene = Scene(child("a", standbys=2))
    scene.lead()
    scene.ready("a")
    scene.died("a")
    scene.failed("a", 2)
    assert said(scene.stands_by("a", 3)) == []
    assert said(scene.wait(0.1)) == ["promote a#3"]
    assert said(scene.wait(0.1)) == ["start a#4 standby", "start a#5 standby"]


def test_nobody_is_told_of_an_escalation_while_all_is_being_ended() -> None:
    scene = Scene(workers(2, intensity=0), child("a")).up()
    scene.died(W0)
    scene.shut_down()
    assert said(scene.died(W1)) == []
    assert scene.run(scene.died("a")) == ["finish"]


def test_timers_of_what_was_forgotten_are_let_go() -> None:
    scene = Scene(child("a", standbys=1), group("g", child("b"), strategy="one_for_all")).up()
    scene.died("a", "killed", 2)
    scene.failed("a", 2)
    scene.died("a")
    scene.failed("a")
    scene.run(scene.died("g.b"), fails=["g.b"])
    for name in ("child/a", "g"):
        scene.run(scene.ask(r.Terminate(member=name)))
        scene.ask(r.Delete(member=name))
    assert said(scene.wait(99.0)) == []
    assert scene.statuses() == {}


def test_significant_children_of_a_group_with_groups_in_it() -> None:
    scene = Scene(
        group(
            "g",
            group("h", child("b")),
            child("a", restart="transient", significant=True),
            auto_shutdown="all_significant",
            restart="transient",
        )
    ).up()
    assert scene.run(scene.died("g.a", "normal")) == ["ask g.h.b#1", "kill g.h.b#1"]


def test_a_child_that_ends_with_a_failed_start_during_the_shutdown_is_not_tried_again() -> None:
    scene = Scene(group("g", child("a"), child("b")), child("z")).up()
    scene.died("g.a")
    scene.shut_down()
    assert said(scene.failed("g.a")) == ["kill g.a#2"]
    assert scene.run(scene.died("z")) == ["ask g.b#1", "kill g.b#1", "finish"]


def test_a_pools_start_goes_on_in_the_shutdown_until_its_turn_to_end() -> None:
    scene = Scene(workers(2), child("z"))
    scene.lead()
    scene.ready("z")
    scene.ready(W0)
    scene.shut_down()
    assert said(scene.died(W0)) == []
    assert scene.run(scene.died("z")) == [f"kill {W1}#1", "finish"]


def test_a_start_in_order_is_broken_off_by_the_shutdown() -> None:
    scene = Scene(group("g", child("a"), child("b")), child("z", restart="temporary")).up()
    scene.run(scene.ask(r.Terminate(member="g")))
    scene.ask(r.RestartMember(member="g"), "r")
    scene.shut_down()
    assert said(scene.ready("g.a")) == ["answer r ok"]
    assert scene.statuses()["g.b"] == "waiting"
    assert scene.run(scene.died("z")) == ["ask g.a#2", "kill g.a#2", "finish"]
    assert set(scene.statuses().values()) == {"stopped"}
