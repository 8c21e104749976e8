"""Requests and what is remembered of them; who may ask for what is in the test matrix."""

from __future__ import annotations

from supervisor import messages as m
from supervisor import requests as r
from supervisor.tree import ChildPlan, GroupPlan
from tests.unit.supervision.scene import Scene, child, group, said


def test_nothing_is_added_beside_something_of_its_name_inside() -> None:
    """Keys and paths are unique in the supervisor, not only in their group."""
    scene = Scene(group("g", child("a"))).up()
    wish = r.AddMembers(groups=(GroupPlan(path="h"),), children=(ChildPlan(key="child/g.a", group="h"),))
    assert scene.ask(wish, "r") == [m.Answer(request="r", problem="already_started", detail="child/g.a is running")]
    assert "h" not in scene.machine.view().groups


def test_without_an_order_groups_come_before_children() -> None:
    scene = Scene().up()
    wish = r.AddMembers(
        groups=(GroupPlan(path="g"), GroupPlan(path="g.h", parent="g")),
        children=(ChildPlan(key="child/g.a", group="g"), ChildPlan(key="child/g.h.b", group="g.h")),
    )
    assert scene.run(scene.ask(wish, "r")) == ["start g.h.b#1", "start g.a#1", "answer r ok"]


def test_a_problem_says_what_stands_in_the_way() -> None:
    scene = Scene(child("a"), group("g", child("b"), intensity=0, restart="transient")).up()
    scene.run(scene.died("g.b"))
    assert scene.ask(r.RestartMember(member="child/a"), "r") == [
        m.Answer(request="r", problem="running", detail="child/a is running")
    ]
    assert scene.add(child("c"), "g", "s") == [
        m.Answer(request="s", problem="given_up", detail="its group g is given_up")
    ]
    scene.shut_down()
    assert scene.ask(r.RestartMember(member="g"), "t") == [
        m.Answer(request="t", problem="stopping", detail="everything is being ended")
    ]


def test_what_is_asked_again_while_it_goes_on_is_not_done_again() -> None:
    scene = Scene(child("a")).up()
    wish = r.Terminate(member="child/a")
    assert said(scene.ask(wish, "r")) == ["ask a#1"]
    assert said(scene.ask(wish, "r")) == []
    assert said(scene.died("a")) == ["answer r ok"]
    assert said(scene.ask(wish, "r")) == ["answer r ok"]
