"""On which node a life is wanted, and who has to leave one. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supervisor.supervision.state import State
    from supervisor.tree import Child

_HEALERS, _COORDINATOR = "healer/", "healer/main"

_STAY: tuple[str, ...] = ("event_log", "node_agent", "supervisor")
"""Concerns that stay while their node does: with its disk, with its processes, and what there can be only one of."""


def place(state: State, child: Child, *, standby: bool) -> str | None:
    """The node that a new life should start on; None: wherever Ray likes.

    A standby belongs on another node than the life it stands by for, where no other one of the child is and the fewest
    lives are, and a healer where no other healer is; nothing is put on a node that is about to go. Where there is no
    other node, a standby beside it is better than none. Which node a user's spec means by its text is the shell's to
    find.
    """
    if child.plan.is_bound:
        return child.plan.node_id
    where = child.location
    if standby:
        return _emptiest(state, child, staying(state, but=None if where is None else where.node_id))
    if _is_healer(child.plan.key) and len(state.nodes) > 1:
        return _apart(state, child)
    return _emptiest(state, child, staying(state)) if state.draining else None


def staying(state: State, but: str | None = None) -> list[str]:
    """The nodes that are not about to go, but for one of them."""
    return [node for node in state.nodes if node not in state.draining and node != but]


def must_move(state: State, child: Child) -> bool:
    """Whether the node of a child's accepted life is about to go, and it can have another one.

    A temporary child has only this life, and keeps it as long as it may; one that shares its process stays with it.
    """
    where, plan = child.location, child.plan
    if where is None or where.node_id not in state.draining:
        return False
    stays = plan.is_bound or plan.shared or plan.restart == "temporary" or plan.concern in _STAY
    return not stays and bool(staying(state))


def _is_healer(key: str) -> bool:
    return key.startswith(_HEALERS) and key != _COORDINATOR


def _apart(state: State, child: Child) -> str | None:
    """Where no other healer is: one of them at least is then off any node that fails."""
    others = (state.children[key] for key in state.groups[child.plan.group].members if _is_healer(key))
    lives = [life for other in others if other is not child for life in other.lives.values()]
    taken = Counter(life.node_id if life.location is None else life.location.node_id for life in lives)
    free = staying(state)
    fewest = min((taken[node] for node in free), default=0)
    return _emptiest(state, child, [node for node in free if taken[node] == fewest])


def _emptiest(state: State, child: Child, nodes: list[str]) -> str | None:
    if not nodes:
        return None
    own = Counter(life.node_id if life.location is None else life.location.node_id for life in child.lives.values())
    return min(nodes, key=lambda node: (own[node], len(state.lives_on.get(node, ()))))
