"""What is announced of what is below subtrees when they cannot tell it themselves."""

from __future__ import annotations

from typing import Any

from supervisor.messages import ChildView, ClusterView, GroupView
from supervisor.subtree_views import as_seen_above, states_of, view_left
from supervisor.supervision.ledger import ChildEntry, Ledger, group_entry
from supervisor.tree import TOP, ChildPlan, GroupPlan


def group_view(path: str, parent: str = "root") -> GroupView:
    return GroupView(
        path=path,
        parent=parent,
        strategy="one_for_one",
        status="running",
        members=(),
        restarts=0,
        intensity=1,
        period_s=5.0,
        failure=None,
    )


def child_view(key: str, group: str = "far", **more: Any) -> ChildView:
    seen: dict[str, Any] = {"role": "service", "restarts": 0, "location": None, "last_error": "", "incarnation": 1}
    seen |= {"status": "running", **more}
    return ChildView(key=key, name=f"s/{key}#1", group=group, **seen)


def left(*names: str, path: str = "far") -> Ledger:
    plans = [ChildPlan(key=f"child/{path}.{name}", group=path) for name in names]
    return Ledger(
        children=tuple(ChildEntry(plan=plan, status="running", incarnation=3, last=3, restarts=2) for plan in plans),
        groups=(
            group_entry(GroupPlan(path=TOP, parent=None)),
            group_entry(GroupPlan(path=path, parent=TOP, intensity=7)),
        ),
    )


WHOLE = ClusterView(
    leader="s/supervisor/root#1",
    incarnation=1,
    children=(
        child_view("supervisor/far", "root"),
        child_view("child/farther", "root"),
        child_view("child/far.a", role="active", host="s/host/far.main#1"),
    ),
    groups={"far": group_view("far"), "farther": group_view("farther"), "root": group_view("root")},
)


def test_a_successor_shows_what_was_announced_last_and_what_only_the_ledger_knows() -> None:
    seen = view_left("far", "s", WHOLE, {"far": left("a", "b"), "farther": left("x", path="farther")})
    assert {child.key for child in seen.children} == {"child/far.a", "child/far.b"}
    assert WHOLE.children[2] in seen.children, "what was announced is shown as it was"
    late = next(child for child in seen.children if child.key == "child/far.b")
    assert (late.name, late.host, late.status, late.restarts) == (
        "s/child/far.b#3",
        "s/child/far.b#3",
        "running",
        2,
    )
    assert seen.groups == {"far": group_view("far")}


def test_without_a_view_the_ledgers_tell_what_there_is_also_further_below() -> None:
    seen = view_left("far", "s", None, {"far": left("a"), "far.eu": left("b", path="far.eu")})
    assert {child.key for child in seen.children} == {"child/far.a", "child/far.eu.b"}
    assert {path: (group.parent, group.intensity) for path, group in seen.groups.items()} == {
        "far": ("root", 7),
        "far.eu": ("far", 7),
    }


def test_nothing_is_left_of_what_nobody_knows() -> None:
    nothing = view_left("far", "s", None, {"far": Ledger(), "farther": left("x", path="farther")})
    assert (nothing.children, nothing.groups) == ((), {})


def test_what_has_ended_is_not_shown_as_it_was_told_last() -> None:
    below = ClusterView(leader="", incarnation=1, children=(child_view("child/far.a", standbys=("s",)),), groups={})
    assert as_seen_above(below, "running", ended=False) is below
    assert as_seen_above(below, "restarting", ended=False) is below, "it died: what is below it lives"
    for status, ended, shown in (
        ("stopped", True, "stopped"),
        ("stopped", False, "stopped"),
        ("given_up", True, "stopped"),
        ("restarting", True, "restarting"),
        ("running", True, "restarting"),
    ):
        seen = as_seen_above(below, status, ended=ended)  # pyright: ignore[reportArgumentType] - statuses, each
        assert [(child.status, child.location, child.standbys) for child in seen.children] == [(shown, None, ())]


def test_the_states_of_a_view_are_those_that_a_follower_compares_with() -> None:
    state = states_of(WHOLE, 5)[2]
    assert (state.key, state.incarnation, state.event, state.status, state.role, state.at) == (
        "child/far.a",
        1,
        "adopted",
        "running",
        "active",
        5,
    )
