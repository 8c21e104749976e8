"""A group's two lists: what is to be ended, in reverse, and then what is to be started, in order."""

from __future__ import annotations

from supervisor import requests as r
from supervisor.supervision.worklists import Worklists
from supervisor.tree import ChildPlan, Group
from tests.unit.supervision.scene import Scene, child, group, pool, said


def work_of(scene: Scene) -> Worklists:
    return scene.machine._groups._work


def lists(group: Group) -> tuple[list[str], list[str], list[str]]:
    return list(group.ending), list(group.todo), sorted(group.begun)


def keys(*names: str) -> list[str]:
    return [f"child/g.{name}" for name in names]


def test_a_start_begins_one_by_one_and_a_pools_at_once() -> None:
    scene = Scene(group("g", child("a"), child("b")), pool("p", 2))
    scene.lead()
    groups = scene.machine._s.groups
    assert lists(groups["g"]) == ([], keys("a", "b"), keys("a"))
    scene.ready("g.a")
    assert lists(groups["g"]) == ([], keys("b"), keys("b"))
    scene.ready("g.b")
    assert lists(groups["g"]) == ([], [], [])
    assert lists(groups["p"])[2] == ["child/p-0", "child/p-1"]


def test_an_end_begins_with_the_last_and_forgets_what_was_to_start() -> None:
    scene = Scene(group("g", child("a"), child("b"), child("c")))
    scene.lead()
    scene.ready("g.a")
    inner = scene.machine._s.groups["g"]
    assert not work_of(scene).stop("g")
    assert lists(inner) == (keys("a", "b"), [], keys("b"))
    assert not work_of(scene).stop("g"), "it is ending already"
    scene.failed("g.b")
    assert lists(inner) == (keys("a"), [], keys("a"))
    scene.died("g.a")
    assert (inner.status, inner.is_down) == ("stopped", True)


def test_standbys_that_a_restart_kept_end_with_the_group() -> None:
    scene = Scene(group("g", child("a"), child("b", standbys=1), strategy="one_for_all")).up()
    assert said(scene.died("g.a")) == ["restart g.a crash", "ask g.b#1"]
    assert said(scene.ask(r.Terminate(member="g"), "r")) == []
    assert said(scene.stopped("g.b")) == ["kill g.b#2", "kill g.b#1"]
    scene.died("g.b", "killed", 1)
    assert said(scene.died("g.b", "killed", 2)) == ["answer r ok"]


def test_whoever_waits_for_something_deep_inside_hears_that_it_does_not_start() -> None:
    scene = Scene(group("g", child("a"), group("h", group("i", child("b")))))
    scene.lead()
    scene.ask(r.RestartMember(member="child/g.h.i.b"), "r")
    scene.ask(r.Terminate(member="g"), "s")
    assert said(scene.died("g.a")) == ["answer r start_failed", "answer s ok"]


def test_a_group_without_anything_is_up_and_ended_at_once() -> None:
    scene = Scene(group("g")).up()
    assert work_of(scene).stop("g")
    assert work_of(scene).start("g")


def test_a_group_that_is_down_is_not_worked_on() -> None:
    scene = Scene(group("g", child("a"))).up()
    scene.machine._groups.stop("g")
    scene.died("g.a")
    inner = scene.machine._s.groups["g"]
    work_of(scene).go_on(inner)
    assert inner.status == "stopped"


def test_a_status_is_that_of_all_that_is_down_in_a_group() -> None:
    scene = Scene(group("g", child("a"), group("h", child("b"), child("c"))))
    work, inner = work_of(scene), scene.machine._s.groups["g"]
    scene.machine._s.children["child/g.h.b"].status = "ignored"
    scene.machine._s.children["child/g.h.c"].status = "given_up"
    work.mark(inner, "stopped")
    assert scene.statuses() == {"g.a": "stopped", "g.h.b": "ignored", "g.h.c": "given_up"}
    work.set_status("g", "restarting")
    assert scene.statuses() == dict.fromkeys(("g.a", "g.h.b", "g.h.c"), "restarting")
    assert scene.group("g.h").status == "restarting"
    work.set_status("child/g.a", "stopped")
    assert scene.statuses()["g.a"] == "stopped"


def test_what_is_left_of_a_subtree_is_ended_when_nobody_will_adopt_it() -> None:
    """Its supervisor died by itself: the next life would adopt what lives, but there is none."""
    scene = Scene(group("g", child("a"), intensity=1, restart="transient"))
    scene.machine._s.add_child(ChildPlan(key="supervisor/g.shop", group="g"))
    scene.up()
    assert not any(text.startswith("reap") for text in said(scene.died("supervisor/g.shop")))
    scene.ready("supervisor/g.shop", 2)
    scene.died("supervisor/g.shop")
    assert "reap g.shop" in said(scene.died("g.a", "shutdown"))


def test_a_subtree_that_is_ended_leaves_nothing() -> None:
    scene = Scene(group("g", child("a")))
    scene.machine._s.add_child(ChildPlan(key="supervisor/g.shop", group="g"))
    scene.up()
    scene.ask(r.Terminate(member="supervisor/g.shop"), "r")
    assert said(scene.died("supervisor/g.shop", "killed")) == ["reap g.shop", "answer r ok"]
