"""The test matrix: a request is carried out once, however often and of whom it is asked."""

from __future__ import annotations

import pytest

from supervisor import messages as m
from supervisor import requests as r
from supervisor.tree import SYSTEM
from tests.unit.supervision.scene import Scene, actor, child, group, said


def delete(name: str) -> r.Delete:
    return r.Delete(member=name)


def end(name: str) -> r.Terminate:
    return r.Terminate(member=name)


def restart(name: str) -> r.RestartMember:
    return r.RestartMember(member=name)


def test_a_request_that_is_made_twice_is_carried_out_once() -> None:
    scene = Scene().up()
    assert said(scene.add(child("a"), request="r")) == ["start a#1"]
    assert scene.add(child("a"), request="r") == []
    assert said(scene.ready("a")) == ["answer r ok"], "once: who asked twice has it twice from the desk"
    assert said(scene.add(child("a"), request="r")) == ["answer r ok"], "and it is remembered"


def test_answers_are_remembered_but_not_for_ever() -> None:
    scene = Scene(child("a")).up()
    scene.ask(delete("x"), "first")
    for number in range(1000):
        scene.ask(delete("x"), f"r{number}")
    assert len(scene.machine._administration._answers) == 1000
    scene.ask(delete("x"), "first")
    assert "first" in scene.machine._administration._answers


def test_several_who_wait_for_the_same_are_all_answered() -> None:
    scene = Scene(child("a")).up()
    for request in ("r", "s", "t"):
        scene.ask(end("child/a"), request)
    assert said(scene.died("a")) == ["answer r ok", "answer s ok", "answer t ok"]


def successor(scene: Scene, *actors: m.KnownActor) -> Scene:
    """Whoever leads after this one was lost, with its ledger."""
    after = Scene(incarnation=3, ledger=scene.machine.ledger())
    after.lead(*actors, succeeds=True)
    return after


@pytest.mark.parametrize("wish", [delete("child/a"), end("child/b"), restart("child/a")])
def test_what_a_lost_leader_has_done_is_not_refused_by_its_successor(wish: r.Request) -> None:
    scene = Scene(child("a"), child("b", restart="temporary")).up()
    scene.run(scene.ask(end("child/a")))
    scene.run(scene.ask(wish, "r"))
    after = successor(scene, actor("a", 2), actor("b", 1))
    assert said(after.ask(wish, "r")) == ["answer r ok"]


def test_what_a_lost_leader_had_begun_is_awaited_by_its_successor() -> None:
    scene = Scene(child("a")).up()
    scene.run(scene.ask(end("child/a")))
    scene.ask(restart("child/a"), "r")
    after = successor(scene, actor("a", 2))
    assert said(after.ask(restart("child/a"), "r")) == []
    assert "answer r ok" in said(after.ready("a"))


def test_the_end_of_what_is_temporary_is_known_to_a_successor_that_finds_it_gone() -> None:
    scene = Scene(child("a", restart="temporary")).up()
    scene.ask(end("child/a"), "r")
    after = successor(scene)
    assert "answer r ok" in said(after.ask(end("child/a"), "r"))


# -- ended and started again, as one ----------------------------------------------------------------------------------


def again(name: str) -> r.RestartMember:
    return r.RestartMember(member=name, ends_first=True)


def test_one_that_runs_is_ended_in_order_and_started_again_and_never_seen_as_ended() -> None:
    scene = Scene(child("a"), child("b")).up()
    assert said(scene.ask(again("child/a"), "r")) == ["ask a#1"]
    assert scene.child("a").status == "stopping"
    assert said(scene.died("a")) == ["start a#2"]
    assert scene.child("a").status == "starting"
    assert said(scene.ready("a")) == ["answer r ok"]
    assert scene.statuses()["b"] == "running"
    assert scene.child("a").restarts == 0, "it was wanted"


def test_a_group_that_runs_is_ended_and_started_again() -> None:
    scene = Scene(group("g", child("a"), child("b"))).up()
    assert "answer r ok" in scene.run(scene.ask(again("g"), "r"))
    assert scene.incarnations() == {"g.a": 2, "g.b": 2}


@pytest.mark.parametrize("ended", [True, False])
def test_one_that_has_ended_is_only_started(ended: bool) -> None:
    scene = Scene(child("a")).up()
    if ended:
        scene.run(scene.ask(end("child/a")))
    said_then = scene.run(scene.ask(again("child/a"), "r"))
    assert said_then[-1] == "answer r ok"
    assert scene.incarnations() == {"a": 2}


def test_a_failed_start_of_it_is_told_and_it_stays_away() -> None:
    scene = Scene(child("a")).up()
    assert "answer r start_failed" in scene.run(scene.ask(again("child/a"), "r"), fails=["a"])
    assert scene.child("a").status == "stopped"


def test_it_is_gone_on_with_by_a_successor_that_finds_it_ending() -> None:
    scene = Scene(child("a")).up()
    scene.ask(again("child/a"), "r")
    after = successor(scene, actor("a", 1))
    assert said(after.ask(again("child/a"), "r")) == ["ask a#1"], "that it lives does not say which life that is"
    assert said(after.died("a")) == ["start a#2"]
    assert said(after.ready("a")) == ["answer r ok"]


def test_everything_is_ended_by_shutdown_only() -> None:
    scene = Scene(child("a")).up()
    assert said(scene.ask(again(SYSTEM), "r")) == ["answer r protected"]
