"""The test matrix: starts of children and groups.

Source: Erlang/OTP, supervisor_SUITE: start normal, ignore, error, crash; faulty specs are tests/unit/specs' business.
"""

from __future__ import annotations

from supervisor import messages as m
from supervisor import requests as r
from tests.unit.supervision.scene import Scene, child, group, pool, records, said


def test_start_normal() -> None:
    """In order, each when the one before it answers."""
    scene = Scene(child("a"), child("b"), child("c"))
    assert said(scene.lead()) == ["start a#1"]
    assert said(scene.ready("a")) == ["start b#1"]
    assert scene.statuses() == {"a": "running", "b": "starting", "c": "waiting"}
    assert said(scene.ready("b")) == ["start c#1"]
    assert said(scene.ready("c")) == []
    assert scene.group("root").status == "running"


def test_start_of_nested_groups_in_the_order_of_their_members() -> None:
    scene = Scene(child("a"), group("g", child("b"), group("h", child("c")), child("d")), child("e"))
    assert scene.run(scene.lead()) == [f"start {name}#1" for name in ("a", "g.b", "g.h.c", "g.d", "e")]
    assert {scene.group(path).status for path in ("root", "g", "g.h", "supervisor", "system")} == {"running"}


def test_start_of_an_empty_group() -> None:
    assert said(Scene(group("g"), group("h", group("i")), child("a")).lead()) == ["start a#1"]


def test_start_ignore() -> None:
    """The spec stays with no process, and the start goes on."""
    scene = Scene(child("a"), child("b"))
    scene.lead()
    commands = scene.ignored("a")
    assert records(commands) == ["a#1 ignored"]
    assert said(commands) == ["kill a#1", "start b#1"]
    scene.ready("b")
    assert scene.statuses() == {"a": "ignored", "b": "running"}


def test_ignored_child_is_counted() -> None:
    scene = Scene(child("a"), child("b")).up()
    scene.run(scene.add(child("c")), fails=())
    scene.add(child("d"))
    scene.ignored("d")
    assert scene.count() == {"specs": 4, "active": 3}


def test_temporary_ignored_is_not_saved() -> None:
    scene = Scene().up()
    scene.add(child("a", restart="temporary"), request="r")
    assert said(scene.ignored("a")) == ["kill a#1", "answer r ok"]
    assert scene.statuses() == {}


def test_an_ignored_child_can_be_started_again() -> None:
    scene = Scene(child("a"))
    scene.lead()
    scene.ignored("a")
    assert said(scene.ask(r.RestartMember(member="child/a"), "r")) == ["start a#2"]
    assert said(scene.ready("a")) == ["answer r ok"]


def test_start_error_ends_those_already_started_in_reverse_and_tells_who_failed_and_why() -> None:
    scene = Scene(group("g", child("a"), child("b"), child("c"), child("d")), root={"intensity": 0})
    scene.lead()
    scene.ready("g.a")
    scene.ready("g.b")
    commands = scene.failed("g.c", error="boom", cause=b"pickled")
    assert said(commands) == ["kill g.c#1", "ask g.b#1"]
    assert scene.run(commands)[2:] == ["kill g.b#1", "ask g.a#1", "kill g.a#1", "escalate root"]
    assert scene.statuses() == dict.fromkeys(("g.a", "g.b", "g.c", "g.d"), "stopped")
    assert scene.group("g").failure == "child/g.c: boom"
    assert scene.machine.view().root_failure == "g: child/g.c: boom"


def test_a_start_error_of_an_added_group_is_answered_with_its_cause() -> None:
    scene = Scene().up()
    scene.add(group("g", child("a"), group("h", child("b"))), request="r")
    scene.ready("g.a")
    commands = scene.failed("g.h.b", error="boom", cause=b"pickled")
    scene.run(commands)
    answer = m.Answer(request="r", problem="start_failed", detail="g.h: child/g.h.b: boom", cause=b"pickled")
    assert scene.ask(r.Delete(member="x"), "r") == [answer], "it is remembered"
    assert scene.statuses() == {}
    assert "g" not in scene.machine.view().groups


def test_start_crash() -> None:
    """A process that ends before it answers has not started; also if it ended in order."""
    for exit_class in ("crash", "killed", "normal"):
        scene = Scene(child("a"), child("b"), root={"intensity": 0})
        scene.lead()
        scene.ready("a")
        assert scene.run(scene.died("b", exit_class)) == ["ask a#1", "kill a#1", "escalate root"]
        assert scene.machine.view().root_failure == "child/b: gone"


def test_start_that_takes_too_long_is_an_error() -> None:
    scene = Scene(child("a", start_timeout_s=2.0), child("b"))
    scene.lead()
    assert said(scene.wait(1.9)) == []
    assert scene.run(scene.wait(0.2)) == ["kill a#1", "escalate root"]
    assert scene.machine.view().root_failure == "child/a: did not answer within 2 s of its start"


def test_a_pool_starts_together_and_a_failed_start_in_it_is_an_end_like_any_other() -> None:
    scene = Scene(pool("p", 3), child("a"))
    assert said(scene.lead()) == ["start p-0#1", "start p-1#1", "start p-2#1"]
    scene.ready("p-1")
    assert said(scene.failed("p-0")) == ["kill p-0#1", "restart p-0 crash", "start p-0#2"]
    scene.ready("p-2")
    assert said(scene.ready("p-0")) == ["start a#1"], "the pool is up, the next member of the root starts"


def test_a_member_that_dies_while_later_ones_start_is_restarted() -> None:
    scene = Scene(child("a"), child("b"))
    scene.lead()
    scene.ready("a")
    assert said(scene.died("a")) == ["restart a crash", "start a#2"]
    scene.ready("b")
    scene.ready("a")
    assert scene.statuses() == {"a": "running", "b": "running"}


def test_start_child_error_leaves_no_spec() -> None:
    scene = Scene().up()
    assert said(scene.add(child("a"), request="r")) == ["start a#1"]
    assert said(scene.failed("a")) == ["kill a#1", "answer r start_failed"]
    assert scene.statuses() == {}
    assert said(scene.add(child("a"))) == ["start a#2"], "no number of a name is used twice"


def test_restart_child_error_keeps_the_spec() -> None:
    scene = Scene(child("a")).up()
    scene.run(scene.ask(r.Terminate(member="child/a")))
    scene.ask(r.RestartMember(member="child/a"), "r")
    assert said(scene.failed("a", error="boom")) == ["kill a#2", "answer r start_failed"]
    assert scene.statuses() == {"a": "stopped"}
    assert scene.run(scene.ask(r.RestartMember(member="child/a"), "s")) == ["start a#3", "answer s ok"]
