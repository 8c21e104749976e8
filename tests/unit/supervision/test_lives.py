"""One life of a child at a time is accepted; the rules for all of them are in the test matrix."""

from __future__ import annotations

from supervisor import messages as m
from supervisor.supervision.stopping import GONE_S
from tests.unit.supervision.scene import NODE, OTHER, Scene, acts, child, only, records, said, workers


def test_a_life_that_was_not_started_to_serve_is_told_when_it_is_to() -> None:
    scene = Scene(child("a"))
    scene.lead()
    assert said(scene.ready("a", serves=False)) == ["promote a#1"]


def test_where_lives_are_is_counted_while_they_are() -> None:
    scene = Scene(child("a"), child("b"), nodes=(NODE, OTHER))
    scene.lead()
    scene.ready("a", node=NODE)
    scene.ready("b", node=OTHER)
    scene.died("a")
    scene.ready("a", node=OTHER)
    assert scene.machine._s.lives_on == {OTHER: {("child/b", 1): None, ("child/a", 2): None}}


def test_a_pool_members_life_elsewhere_takes_its_place_over() -> None:
    scene = Scene(workers(1), nodes=(NODE, OTHER)).up()
    assert acts(scene.see(NODE, OTHER, draining=(NODE,))) == ["start worker/p-0#2 standby on o"]
    scene.stands_by("worker/p-0", 2, node=OTHER)
    assert scene.serving() == {}, "it is stopping"
    assert "promote worker/p-0#2" in said(scene.died("worker/p-0"))
    assert scene.serving() == {"s/worker/p-0#2": "active"}


def test_a_fenced_life_is_announced_then_killed_where_it_runs() -> None:
    scene = Scene(child("a")).up()
    commands = scene.unhealthy("a")
    kill = only(commands, m.KillChild)[0]
    assert commands.index(m.Publish()) < commands.index(kill)
    assert kill.node_id == NODE
    assert kill.process is not None


def test_late_news_of_a_start_is_no_news() -> None:
    scene = Scene(child("a")).up()
    assert scene.ready("a") == []
    assert scene.wait(61.0) != []
    assert scene.child("a").status == "running"


def test_a_stop_that_is_asked_for_twice_is_asked_once() -> None:
    scene = Scene(child("a")).up()
    assert said(scene.shut_down()) == ["ask a#1"]
    assert said(scene.stopped("a")) == ["kill a#1"]
    assert said(scene.stopped("a")) == []


def test_standbys_that_are_being_ended_are_not_kept() -> None:
    scene = Scene(child("a", standbys=1)).up()
    lives, a = scene.machine._lives, scene.machine._s.children["child/a"]
    assert not lives.stopping.stop(a)
    assert not lives.stopping.stop(a, keep_standbys=True)
    assert said(scene.died("a")) == ["ask a#1", "ask a#2"]
    assert scene.child("a").status == "stopping"
    scene.died("a", "killed", 2)
    assert scene.child("a").status == "stopped"


def test_news_of_the_healthy_and_the_stopped_is_sorted_out() -> None:
    scene = Scene(child("a")).up()
    assert said(scene.stopped("a")) == [], "nobody asked it"
    assert GONE_S > 0
    scene.shut_down()
    assert said(scene.unhealthy("a")) == [], "it is ending anyway"


def test_an_unhealthy_standby_is_replaced() -> None:
    scene = Scene(child("a", standbys=1)).up()
    commands = scene.unhealthy("a", "ill", 2)
    assert records(commands) == ["a#2 fenced: crash: ill"]
    assert acts(commands) == ["kill a#2"]
    assert scene.child("a").restarts == 0
