"""What is announced of what is below subtrees, also while they cannot tell it themselves. Pure.

A subtree tells its view as long as it lives. Beside that, three others know of it: the one above knows whether it runs,
a predecessor's view shows how it was, and its ledger names everything that is in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from supervisor.changes import ChildChange
from supervisor.messages import ChildView, ClusterView, GroupView
from supervisor.supervision.ledger import Ledger
from supervisor.tree import ROOT, TOP, Status, is_within, path_of

_FOR_GOOD = ("stopped", "given_up", "ignored")


def view_left(path: str, supervisor: str, whole: ClusterView | None, ledgers: Mapping[str, Ledger]) -> ClusterView:
    """A subtree as a predecessor leaves it: as it was announced last, and what only its ledgers tell.

    Args:
        path: The subtree's.
        supervisor: The supervisor's name.
        whole: What the predecessor announced last, or None.
        ledgers: Those of all subtrees, by path.
    """
    seen = whole or ClusterView(leader="", incarnation=0)
    children = {each.key: each for each in seen.children if is_within(path_of(each.key), path)}
    groups = {inner: group for inner, group in seen.groups.items() if _is_in(inner, path)}
    for inner, ledger in ledgers.items():
        if _is_in(inner, path):
            children = _children_of(ledger, supervisor) | children
            groups = _groups_of(ledger) | groups
    return ClusterView(leader="", incarnation=0, children=tuple(children.values()), groups=groups)


def as_seen_above(below: ClusterView, status: Status, *, ended: bool) -> ClusterView:
    """What a subtree told last, in the light of what the one above knows.

    Args:
        below: What it told.
        status: What the one above has it do.
        ended: It has ended as a whole, and no later life has told anything yet.
    """
    if status in _FOR_GOOD:
        return _all(below, "stopped")
    return _all(below, "restarting") if ended else below


def states_of(view: ClusterView, at: int) -> list[ChildChange]:
    """The states of all children of a view, as a follower knows them; `at` is in wall-clock microseconds."""
    return [
        ChildChange(
            key=child.key,
            name=child.name,
            incarnation=child.incarnation,
            event="adopted",
            status=child.status,
            role=child.role,
            at=at,
        )
        for child in view.children
    ]


def _is_in(path: str, subtree: str) -> bool:
    return is_within(path, subtree, strictly=False)


def _all(view: ClusterView, status: Status) -> ClusterView:
    return replace(
        view,
        children=tuple(replace(child, status=status, location=None, standbys=()) for child in view.children),
        groups={path: replace(group, status=status) for path, group in view.groups.items()},
    )


def _children_of(ledger: Ledger, supervisor: str) -> dict[str, ChildView]:
    found: dict[str, ChildView] = {}
    for entry in ledger.children:
        name = f"{supervisor}/{entry.plan.key}#{entry.incarnation}"
        found[entry.plan.key] = ChildView(
            key=entry.plan.key,
            name=name,
            status=entry.status,
            role="service",
            restarts=entry.restarts,
            location=None,
            last_error=entry.last_error,
            incarnation=entry.incarnation,
            host=name,
            group=entry.plan.group,
        )
    return found


def _groups_of(ledger: Ledger) -> dict[str, GroupView]:
    found: dict[str, GroupView] = {}
    for entry in ledger.groups:
        plan = entry.plan
        if plan.path != TOP:
            found[plan.path] = GroupView(
                path=plan.path,
                parent=plan.path.rpartition(".")[0] or ROOT if plan.parent == TOP else plan.parent,
                strategy=plan.strategy,
                status=entry.status,
                members=entry.members,
                restarts=entry.restarts,
                intensity=plan.allowance,
                period_s=plan.period_s,
                failure=entry.failure,
            )
    return found
