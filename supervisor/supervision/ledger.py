"""What a successor must know of the tree, as a value. Pure.

Plans, who was accepted, and what counts against a restart. What runs is not in it: Ray's actor table and the children
themselves tell that. No instant crosses a process: restarts are told by their age.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from supervisor.tree import LIVING, POOLS, SYSTEM, TOP, ChildPlan, GroupPlan, Outcome, Status, is_group

if TYPE_CHECKING:
    from supervisor.supervision.state import State, Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildEntry:
    """A child: its plan, its state, the accepted incarnation, the last one, the first of this plan, its restarts."""

    plan: ChildPlan
    status: Status
    incarnation: int
    last: int
    restarts: int
    last_error: str = ""
    current_from: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupEntry:
    """A group: its plan, its state, its members in order, and how long ago its restarts were, seconds.

    Attributes:
        ends: What its end is to mean, while it is being ended: a successor goes on with that.
    """

    plan: GroupPlan
    status: Status
    members: tuple[str, ...]
    restarted_ago_s: tuple[float, ...]
    restarts: int
    failure: str | None
    ends: Outcome | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The whole tree; an outer group stands before those in it.

    Attributes:
        numbers: The last incarnations of children that are not in the tree any more.
        floor: See `State`.
        done: The last requests that were carried out: asked again of a successor, they are answered, not done again.
        begun: Requests under way: the request, the member, and what it waits for.
    """

    children: tuple[ChildEntry, ...] = ()
    groups: tuple[GroupEntry, ...] = ()
    numbers: tuple[tuple[str, int], ...] = ()
    floor: int = 0
    done: tuple[str, ...] = ()
    begun: tuple[tuple[str, str, Wanted], ...] = ()


def child_entry(plan: ChildPlan) -> ChildEntry:
    """A child of which only the plan is known."""
    return ChildEntry(plan=plan, status="running", incarnation=0, last=0, restarts=0)


def group_entry(plan: GroupPlan) -> GroupEntry:
    """A group of which only the plan is known; its members come as they are known."""
    return GroupEntry(plan=plan, status="running", members=(), restarted_ago_s=(), restarts=0, failure=None)


def numbers_of(ledger: Ledger) -> tuple[tuple[str, int], ...]:
    """The last incarnations of all children, those that are in the tree and those that are not any more."""
    return (*ledger.numbers, *((entry.plan.key, entry.last) for entry in ledger.children))


def write_ledger(state: State, done: tuple[str, ...] = ()) -> Ledger:
    """The tree at this moment, and the requests that were carried out last."""
    return Ledger(
        children=tuple(
            ChildEntry(
                plan=child.plan,
                status=child.status,
                incarnation=child.incarnation,
                last=child.last,
                restarts=child.restarts,
                last_error=child.last_error,
                current_from=child.current_from,
            )
            for child in state.children.values()
        ),
        groups=tuple(
            GroupEntry(
                plan=group.plan,
                status=group.status,
                members=tuple(group.members),
                # One that is down begins with its intensity anew when it starts.
                restarted_ago_s=() if group.is_down else tuple(state.now - at for at in group.restarted_at),
                restarts=group.restarts,
                failure=group.failure,
                ends=group.outcome if group.status == "stopping" else None,
            )
            for group in state.groups.values()
        ),
        numbers=tuple(state.numbers.items()),
        floor=state.floor,
        done=done,
        begun=tuple(
            (request, member, wanted) for member, waiting in state.waiting.items() for request, wanted in waiting
        ),
    )


def read_ledger(state: State, ledger: Ledger) -> dict[str, Outcome]:
    """Build the tree that a predecessor left; returns the groups that it was ending, an outer one before those in it.

    What was alive is "waiting" now: it is adopted, or it died meanwhile. What was known to be down and to come back is
    "restarting". A group of the configuration whose members the ledger knows has those children and no others.
    """
    state.floor = ledger.floor
    for key, last in ledger.numbers:
        state.remember_number(key, last)
    ends: dict[str, Outcome] = {}
    for entry in ledger.groups:
        if _read_group(state, entry) and entry.ends is not None:
            ends[entry.plan.path] = entry.ends
    for entry in ledger.children:
        if entry.plan.key not in state.children and entry.plan.group in state.groups:
            state.add_child(entry.plan)
        child = state.children.get(entry.plan.key)
        if child is not None:
            child.plan, child.restarts, child.last_error = entry.plan, entry.restarts, entry.last_error
            child.incarnation, child.last = entry.incarnation, max(child.last, entry.last)
            child.current_from = entry.current_from
            child.status = _status_now(entry)
    state.arrange([member for entry in ledger.groups for member in entry.members])
    return ends


def _read_group(state: State, entry: GroupEntry) -> bool:
    path = entry.plan.path
    if path not in state.groups:
        if entry.plan.parent not in state.groups:
            return False
        state.add_group(entry.plan)
    group = state.groups[path]
    group.plan = entry.plan
    group.restarted_at = tuple(state.now - ago for ago in entry.restarted_ago_s)
    group.restarts, group.failure = entry.restarts, entry.failure
    group.is_down = entry.status in ("stopped", "given_up")
    group.status = entry.status if group.is_down else "running"
    known = set(entry.members)
    if known:
        for member in [member for member in group.members if member not in known and not is_group(member)]:
            state.forget(member)
    if path in state.pools and entry.plan.pool_size is not None:
        state.pools[path].size = entry.plan.pool_size
    return True


def _status_now(entry: ChildEntry) -> Status:
    if entry.status in LIVING:
        return "waiting"
    return "restarting" if entry.status == "waiting" and entry.last else entry.status


def users_part(ledger: Ledger) -> Ledger:
    """What users made of the tree: all but the services and the pools of task workers."""
    own = {entry.plan.path for entry in ledger.groups if not _is_service(entry.plan.path)}
    return replace(
        ledger,
        groups=tuple(entry for entry in ledger.groups if entry.plan.path in own),
        children=tuple(entry for entry in ledger.children if entry.plan.group in own),
    )


def _is_service(path: str) -> bool:
    return path in (TOP, SYSTEM) or path.startswith(POOLS)
