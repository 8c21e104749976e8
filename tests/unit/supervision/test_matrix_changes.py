"""A changed spec: what holds at once, and what from the next start on, whoever makes that start."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from supervisor import requests as r
from supervisor.tree import ChildPlan
from tests.unit.supervision.scene import NODE, OTHER, Scene, actor, acts, child, group, pool, said


def change(scene: Scene, name: str, **settings: Any) -> r.Change:
    """That child's plan with these settings instead of its own."""
    plan = scene.machine.plan_of(f"child/{name}")
    assert plan is not None
    return r.Change(children=(replace(plan, **settings),))


def built_anew(scene: Scene, name: str) -> r.Change:
    return change(scene, name, fingerprint="new", recipe="new")


def test_a_standby_of_the_old_spec_does_not_step_in() -> None:
    scene = Scene(child("a", standbys=1)).up()
    assert said(scene.ask(built_anew(scene, "a"), "r")) == [
        *("kill a#2", "start a#3 standby", "attend a#1:", "answer r ok")
    ]
    assert scene.child("a").incarnation == 1, "what runs is left alone"
    assert acts(scene.died("a")) == [], "the new one that is still starting steps in"
    assert scene.child("a").incarnation == 3


def test_without_a_standby_of_the_new_spec_a_restart_builds_anew() -> None:
    scene = Scene(child("a", standbys=1)).up()
    scene.ask(built_anew(scene, "a"), "r")
    scene.failed("a", 3)
    assert acts(scene.died("a")) == ["start a#4"]


def test_a_standby_stays_where_only_what_holds_at_once_is_changed() -> None:
    scene = Scene(child("a", standbys=1, fingerprint="f")).up()
    assert said(scene.ask(change(scene, "a", heartbeat_s=9.0, recipe="new"), "r")) == ["answer r ok"]
    assert "promote a#2" in said(scene.died("a"))


def test_a_standby_of_the_old_spec_does_not_step_in_for_a_bystander() -> None:
    """Its siblings' restart ends it and keeps what stands by for it."""
    scene = Scene(group("g", child("a"), child("b", standbys=1), strategy="one_for_all")).up()
    scene.died("g.a")
    assert scene.statuses() == {"g.a": "restarting", "g.b": "stopping"}
    assert acts(scene.ask(built_anew(scene, "g.b"), "r")) == ["kill g.b#2"]
    scene.stopped("g.b")
    assert scene.run(scene.died("g.b", "killed"))[:2] == ["start g.a#2", "start g.b#3"]


def test_a_standby_of_the_old_spec_does_not_step_in_on_a_node_that_stays() -> None:
    """It was begun to move the child, which then waits for one of the new spec; or it is too late for that."""
    scene = Scene(child("a"), nodes=(NODE, OTHER)).up()
    scene.see(NODE, OTHER, draining=(NODE,))
    assert acts(scene.ask(built_anew(scene, "a"), "r")) == ["kill a#2", "start a#3 standby on o"]
    assert "ask a#1" in said(scene.stands_by("a", 3, node=OTHER))
    assert acts(scene.ask(change(scene, "a", fingerprint="newer"), "s")) == ["kill a#3"]
    scene.stopped("a")
    assert acts(scene.died("a", "killed")) == ["start a#4 on o"]


def test_a_standby_of_the_old_spec_does_not_step_in_under_the_next_leader() -> None:
    """The leader that ordered its end may have died over it; the accepted life is adopted, whatever it was built of."""
    old = Scene(child("a", standbys=2), child("b", standbys=1)).up()
    old.ask(built_anew(old, "a"), "r")
    old.ask(built_anew(old, "b"), "s")
    scene = Scene(ledger=old.machine.ledger())
    found = (actor("a", 1), actor("a", 2), actor("a", 4), actor("b", 1, alive=False), actor("b", 2))
    heard = said(scene.lead(*found, succeeds=True))
    assert heard[:5] == ["kill a#2", "adopt a#1", "adopt a#4", "kill b#2", "restart b killed"]
    assert "start b#4" in heard


def test_a_member_of_the_old_spec_that_stands_by_in_its_pool_is_made_anew() -> None:
    """Those that serve are left alone."""
    scene = Scene(pool("p", 1, 1)).up()
    plan = scene.machine._s.groups["p"].plan
    assert plan.template is not None
    changed = replace(plan, template=replace(plan.template, fingerprint="new"))
    assert acts(scene.ask(r.Change(groups=(changed,)), "r")) == ["ask p-1#1"]
    assert scene.statuses() == {"p-0": "running", "p-1": "stopping"}
    scene.stopped("p-1")
    assert scene.run(scene.died("p-1", "killed")) == ["start p-1#2"]
    assert scene.group("p").restarts == 0
    assert scene.run(scene.died("p-0")) == ["restart p-0 crash", "start p-0#2"]
    assert {name: scene.child(name).role for name in ("p-0", "p-1")} == {"p-0": "standby", "p-1": "active"}


def test_what_a_child_was_built_of_is_forgotten_with_it() -> None:
    scene = Scene(child("a", standbys=1)).up()
    scene.ask(built_anew(scene, "a"), "r")
    scene.run(scene.ask(r.Terminate(member="child/a")))
    scene.run(scene.ask(r.Delete(member="child/a")))
    assert scene.run(scene.add(child("a", standbys=1)))[:2] == ["start a#4", "start a#5 standby"]
    assert scene.machine.plan_of("child/a") == ChildPlan(key="child/a", standbys=1)


def test_how_a_child_is_called_is_announced_at_once_and_whether_what_serves_is_of_the_old_spec() -> None:
    scene = Scene(child("a", interface="i1")).up()
    assert (scene.child("a").interface, scene.child("a").outdated) == ("i1", False)
    scene.ask(change(scene, "a", interface="i2"), "r")
    assert (scene.child("a").interface, scene.child("a").outdated) == ("i2", False)
    scene.ask(change(scene, "a", interface="i3", fingerprint="new"), "s")
    assert (scene.child("a").interface, scene.child("a").outdated) == ("i3", True)
    scene.run(scene.died("a"))
    assert (scene.child("a").interface, scene.child("a").outdated) == ("i3", False)
