"""The test matrix: what is refused because of what is there: significance without effect, names that a pool gives.

Source: Erlang/OTP, supervisor: `auto_shutdown`, "significant children" (a significant child without auto_shutdown is
an error). That the members of a pool have names is ours.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from supervisor import messages as m
from supervisor import requests as r
from supervisor.tree import SUBTREE, ChildPlan
from tests.unit.supervision.scene import Scene, Spec, child, group, pool, said


def significant(name: str = "a") -> Spec:
    return child(name, restart="transient", significant=True)


def group_plan(scene: Scene, path: str, **changes: Any) -> Any:
    return replace(scene.machine._s.groups[path].plan, **changes)


def child_plan(scene: Scene, key: str, **changes: Any) -> ChildPlan:
    plan = scene.machine.plan_of(key)
    assert plan is not None
    return replace(plan, **changes)


# -- significance without effect -------------------------------------------------------------------------------------


def test_a_significant_child_of_a_group_that_never_ends_so_is_refused() -> None:
    scene = Scene(group("g")).up()
    assert scene.add(significant(), "g", "r") == [
        m.Answer(
            request="r",
            problem="ends_nothing",
            detail="child/g.a is significant, but auto_shutdown of its group g is never",
        )
    ]
    assert scene.statuses() == {}


def test_a_significant_child_of_everythings_own_group_is_refused() -> None:
    scene = Scene().up()
    assert scene.add(significant(), request="r") == [
        m.Answer(
            request="r",
            problem="ends_nothing",
            detail="child/a is significant, but everything's own group never ends so",
        )
    ]


@pytest.mark.parametrize("auto_shutdown", ["any_significant", "all_significant"])
def test_a_significant_child_of_a_group_that_can_end_so_is_added(auto_shutdown: str) -> None:
    scene = Scene(group("g", auto_shutdown=auto_shutdown)).up()
    assert said(scene.add(significant(), "g", "r")) == ["start g.a#1"]


def test_a_group_is_added_whole_with_its_significant_child_or_not_at_all() -> None:
    scene = Scene().up()
    assert said(scene.add(group("g", child("b"), significant()), request="r")) == ["answer r ends_nothing"]
    assert said(scene.add(group("g", group("h", significant())), request="s")) == ["answer s ends_nothing"]
    assert set(scene.machine.view().groups) == {"supervisor", "system", "root"}
    whole = group("g", significant(), auto_shutdown="any_significant")
    assert said(scene.add(whole, request="t")) == ["start g.a#1"]


def test_auto_shutdown_stays_while_a_significant_child_is_there() -> None:
    scene = Scene(group("g", child("b"), significant(), auto_shutdown="any_significant")).up()
    never = r.Change(groups=(group_plan(scene, "g", auto_shutdown="never", intensity=7),))
    assert scene.ask(never, "r") == [
        m.Answer(
            request="r",
            problem="ends_nothing",
            detail="child/g.a is significant, but auto_shutdown of its group g would be never",
        )
    ]
    assert scene.machine._s.groups["g"].plan.intensity == 100, "nothing of it was done"
    scene.run(scene.ask(r.Terminate(member="child/g.a")))
    assert said(scene.ask(never, "s")) == ["answer s ends_nothing"], "its spec is there"
    scene.ask(r.Delete(member="child/g.a"))
    assert said(scene.ask(never, "t")) == ["answer t ok"]


def test_a_child_becomes_significant_only_where_that_has_an_effect() -> None:
    scene = Scene(group("g", child("a", restart="transient"))).up()
    wish = r.Change(children=(child_plan(scene, "child/g.a", significant=True),))
    assert said(scene.ask(wish, "r")) == ["answer r ends_nothing"]
    both = replace(wish, groups=(group_plan(scene, "g", auto_shutdown="all_significant"),))
    assert said(scene.ask(both, "s")) == ["answer s ok"]


def test_significance_and_auto_shutdown_go_together_in_one_change() -> None:
    scene = Scene(group("g", significant(), auto_shutdown="any_significant")).up()
    wish = r.Change(
        groups=(group_plan(scene, "g", auto_shutdown="never"),),
        children=(child_plan(scene, "child/g.a", significant=False),),
    )
    assert said(scene.ask(wish, "r")) == ["answer r ok"]
    assert scene.run(scene.died("g.a", "normal")) == []
    assert scene.group("g").status == "running"


# -- names that a pool gives ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", [child("p-3"), child("p-03"), pool("p-3", 1), group("p-3")])
@pytest.mark.parametrize("parent", ["", "g"])
def test_a_name_that_a_member_of_a_pool_has_is_refused_beside_it(spec: Spec, parent: str) -> None:
    scene = Scene(group("g", pool("p", 2)) if parent else pool("p", 2)).up()
    assert said(scene.add(spec, parent or "root", "r")) == ["answer r name_of_a_member"]
    assert len(scene.statuses()) == 2


def test_a_subtree_of_such_a_name_is_refused_too() -> None:
    scene = Scene(pool("p", 2)).up()
    wish = r.AddMembers(children=(ChildPlan(key=f"{SUBTREE}p-3"),))
    assert said(scene.ask(wish, "r")) == ["answer r name_of_a_member"]


def test_a_pool_is_refused_beside_a_child_of_such_a_name() -> None:
    scene = Scene(child("p-3"), group("g", child("p-3"), group("q-1"))).up()
    assert scene.add(pool("p", 2), request="r") == [
        m.Answer(
            request="r",
            problem="name_of_a_member",
            detail="child/p-3 is called as a member of the pool p may be",
        )
    ]
    assert said(scene.add(pool("p", 2), "g", "s")) == ["answer s name_of_a_member"]
    assert said(scene.add(pool("q", 2), "g", "t")) == ["answer t name_of_a_member"]
    assert set(scene.statuses()) == {"p-3", "g.p-3"}


def test_the_name_is_free_elsewhere_and_when_the_pool_is_gone() -> None:
    scene = Scene(pool("p", 2), group("g")).up()
    assert said(scene.add(child("p-3"), "g", "r")) == ["start g.p-3#1"]
    assert said(scene.add(child("p-x3"), request="s")) == ["start p-x3#1"]
    assert said(scene.add(child("pp-3"), request="t")) == ["start pp-3#1"]
    scene.run(scene.ask(r.Terminate(member="p")))
    assert said(scene.add(child("p-3"), request="u")) == ["answer u name_of_a_member"], "its spec is there"
    scene.ask(r.Delete(member="p"))
    assert said(scene.add(child("p-3"), request="v")) == ["start p-3#1"]


@pytest.mark.parametrize("specs", [(pool("p", 2), child("p-3")), (child("p-3"), pool("p", 2))])
def test_a_pool_that_grows_leaves_a_users_child_of_such_a_name_alone(specs: tuple[Spec, ...]) -> None:
    """A tree that was made before the name was refused may hold both."""
    scene = Scene(*specs).up()
    mine = scene.machine.plan_of("child/p-3")
    assert said(scene.ask(r.Resize(member="p", size=4), "r")) == ["start p-2#1", "start p-4#1", "answer r ok"]
    assert scene.machine.plan_of("child/p-3") is mine
    assert scene.group("p").members == ("child/p-0", "child/p-1", "child/p-2", "child/p-4")
    assert said(scene.ask(r.Resize(member="p", size=0), "s"))[-1] == "answer s ok"
    assert scene.child("p-3").status == "running"
