"""What is refused is told with what stands in the way; the matrix has who may ask for what."""

from __future__ import annotations

from supervisor import requests as r
from supervisor.supervision.refusals import cannot_add, cannot_change, cannot_resize, cannot_start_in, is_up, status_of
from supervisor.tree import ChildPlan, GroupPlan
from tests.unit.supervision.scene import Scene, child, group, plans, pool


def test_a_member_has_a_status_by_its_key_or_path() -> None:
    scene = Scene(child("a"), group("g")).up()
    state = scene.machine._s
    assert [status_of(state, member) for member in ("child/a", "g", "child/x", "h")] == [
        "running",
        "running",
        None,
        None,
    ]
    scene.died("a")
    scene.failed("a")
    assert status_of(state, "child/a") == "restarting"
    assert is_up(state, "child/a")


def test_what_can_be_is_refused_for_nothing() -> None:
    state = Scene(child("a"), group("g"), pool("p", 1)).up().machine._s
    assert cannot_add(state, plans(child("b"), "g")) == (None, "")
    assert cannot_start_in(state, state.groups["g"]) == (None, "")
    assert cannot_resize(state, r.Resize(member="p", size=2)) == (None, "")
    assert cannot_change(state, r.Change(children=(ChildPlan(key="child/a"),))) == (None, "")


def test_what_is_not_there_cannot_be_changed_and_all_of_it_is_named() -> None:
    state = Scene(child("a")).up().machine._s
    wish = r.Change(groups=(GroupPlan(path="g"),), children=(ChildPlan(key="child/b"), ChildPlan(key="child/a")))
    assert cannot_change(state, wish) == ("not_found", "g, child/b")


def test_the_first_reason_is_told() -> None:
    """A name is looked at before the state of the group: another name helps now, waiting would not."""
    scene = Scene(group("g", child("a"), pool("p", 1))).up()
    scene.run(scene.ask(r.Terminate(member="g")))
    state = scene.machine._s
    assert cannot_add(state, plans(child("a"), "g")) == ("already_present", "child/g.a is stopped")
    assert cannot_add(state, plans(child("p-1"), "g")) == ("name_of_a_member", "members of the pool g.p are called so")
    assert cannot_add(state, plans(child("b"), "g")) == ("stopping", "its group g is stopped")


def test_a_size_is_for_pools_and_standbys_for_children_of_the_users() -> None:
    state = Scene(child("a"), child("t", restart="temporary"), child("s", share="root.x"), group("g"), log=True).up()
    wishes = [
        r.Resize(member="child/x", size=1),
        r.Resize(member="g", standbys=1),
        r.Resize(member="child/a", size=1),
        r.Resize(member="event_log/writer", standbys=1),
        r.Resize(member="child/t", standbys=1),
        r.Resize(member="child/s", standbys=1),
    ]
    assert [cannot_resize(state.machine._s, wish)[0] for wish in wishes] == [
        *("not_found", "not_a_pool", "not_a_pool", "takes_no_standbys", "takes_no_standbys", "shares_process")
    ]
