"""What cannot be asked of the tree as it is, and why. Pure.

A refusal comes before anything is done: nothing of what was asked is there after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from supervisor import requests as r
from supervisor.specs.naming import pool_of_number
from supervisor.supervision.state import State
from supervisor.tree import ROOT, SUBTREE, ChildPlan, Group, GroupPlan, is_group, path_of

Refusal = tuple[r.Problem | None, str]
"""What is wrong, and the particulars; None and nothing when nothing is."""

_NONE: Refusal = (None, "")


def status_of(state: State, member: str) -> str | None:
    """A member's status; None when there is none of that name."""
    if is_group(member):
        return state.groups[member].status if member in state.groups else None
    return state.children[member].status if member in state.children else None


def is_up(state: State, member: str) -> bool:
    """Whether a member runs, or will again without being asked to."""
    return state.is_alive(member) or status_of(state, member) == "restarting"


def cannot_add(state: State, wish: r.AddMembers) -> Refusal:
    """Why these members cannot be added; the first one holds all the others."""
    top = wish.groups[0] if wish.groups else wish.children[0]
    member, parent = (top.path, top.parent or "") if isinstance(top, GroupPlan) else (top.key, top.group)
    if parent not in state.groups:
        return "no_group", f"there is no group {parent}"
    found = chain(
        _numbered(state, member, parent, is_pool=isinstance(top, GroupPlan) and top.pool_size is not None),
        _present(state, (member, *(plan.path for plan in wish.groups), *(plan.key for plan in wish.children))),
        _elsewhere(state, wish.children),
        _without_effect(state, wish.children, {plan.path: plan for plan in wish.groups}),
    )
    return next(found, None) or cannot_start_in(state, state.groups[parent])


def cannot_start_in(state: State, group: Group) -> Refusal:
    """Why nothing can be started in a group now."""
    detail = f"its group {group.plan.path} is {group.status}"
    if state.stopping:
        return "stopping", "everything is being ended"
    if not group.is_down and group.status != "stopping":
        return _NONE
    if group.status in ("given_up", "restarting"):
        return ("given_up" if group.status == "given_up" else "restarting"), detail
    return "stopping", detail


def cannot_resize(state: State, wish: r.Resize) -> Refusal:
    """Why a member cannot have that many, or that many standbys."""
    member = wish.member
    if status_of(state, member) is None:
        return "not_found", member
    if member not in state.pools and (is_group(member) or wish.size is not None):
        return "not_a_pool", member
    if wish.standbys and not is_group(member):
        plan = state.children[member].plan
        if plan.concern != "child":
            return "takes_no_standbys", f"{member} is none of your children"
        if plan.restart == "temporary":
            return "takes_no_standbys", "nothing follows the end of what is temporary"
        if plan.shared:
            return "shares_process", "a standby in the process that it shares would die with it"
    return _NONE


def cannot_change(state: State, wish: r.Change) -> Refusal:
    """Why plans cannot be replaced by these; all of them count at once."""
    missing = [plan.path for plan in wish.groups if plan.path not in state.groups]
    missing += [plan.key for plan in wish.children if plan.key not in state.children]
    if missing:
        return "not_found", ", ".join(missing)
    groups = {plan.path: plan for plan in wish.groups}
    changed = {plan.key: plan for plan in wish.children}
    for path in groups:
        for member in state.groups[path].members:
            if not is_group(member):
                changed.setdefault(member, state.children[member].plan)
    return next(_without_effect(state, changed.values(), groups), _NONE)


def _present(state: State, names: Iterable[str]) -> Iterator[Refusal]:
    """A name is one member's, whatever that is."""
    for name in names:
        path = path_of(name)
        for there in {name: None, f"child/{path}": None, path: None, f"{SUBTREE}{path}": None}:
            status = status_of(state, there)
            if status is not None:
                yield "already_started" if is_up(state, there) else "already_present", f"{there} is {status}"


def _numbered(state: State, member: str, parent: str, *, is_pool: bool) -> Iterator[Refusal]:
    """Members of a pool are numbered, and more of them may come: their names are the pool's, used or not."""
    path = path_of(member)
    if pool_of_number(path) in state.pools:
        yield "name_of_a_member", f"members of the pool {pool_of_number(path)} are called so"
    for there in state.groups[parent].members if is_pool else ():
        if pool_of_number(path_of(there)) == path:
            yield "name_of_a_member", f"{there} is called as a member of the pool {path} may be"


def _elsewhere(state: State, children: Iterable[ChildPlan]) -> Iterator[Refusal]:
    """One process is on one node."""
    for plan in children:
        for other in state.children.values() if plan.share else ():
            if other.plan.share == plan.share and other.plan.wanted_node != plan.wanted_node:
                theirs, its = other.plan.wanted_node or "any", plan.wanted_node or "any"
                yield "shares_elsewhere", f"it shares a process with {other.plan.key} on node {theirs}, not {its}"


def _without_effect(state: State, children: Iterable[ChildPlan], groups: Mapping[str, GroupPlan]) -> Iterator[Refusal]:
    """Significance is the child's half of a rule, and auto_shutdown its group's; one without the other means nothing.

    Args:
        state: The tree.
        children: The children as they are to be.
        groups: The groups that are new, or are to be others, by path.
    """
    for plan in children:
        if not plan.significant:
            continue
        known = state.children.get(plan.key)
        path = plan.group if known is None else known.plan.group
        if path == ROOT:
            yield "ends_nothing", f"{plan.key} is significant, but everything's own group never ends so"
        elif (groups.get(path) or state.groups[path].plan).auto_shutdown == "never":
            is_so = "would be" if known is not None and path in groups else "is"
            yield "ends_nothing", f"{plan.key} is significant, but auto_shutdown of its group {path} {is_so} never"
