"""Where actors may run: what the nodes are called, what they have, and how Ray is asked for one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ray
from ray.exceptions import RayError

from supervisor import room
from supervisor.election import living_nodes


def node_of(prefix: str) -> str:
    """The living node whose id begins so.

    Raises:
        ValueError: There is none.
    """
    for node in living_nodes():
        if node.startswith(prefix):
            return node
    raise ValueError(f"node {prefix} has left the cluster")


def nodes_now() -> tuple[room.Node, ...]:
    """The living nodes, by what users call them and what they have."""
    return tuple(
        room.Node(
            node_id=str(node["NodeID"]),
            names=tuple(
                str(node[name]) for name in ("NodeManagerAddress", "NodeName", "NodeManagerHostname") if node.get(name)
            ),
            total=dict(node["Resources"]),
        )
        for node in ray.nodes()
        if node["Alive"]
    )


def node_named(text: str) -> str:
    """The id of the living node that a user named by its id, the beginning of that, its address or its name.

    Raises:
        ValueError: There is none; the message names those that there are.
    """
    living = nodes_now()
    found = room.node_named(text, living)
    if found is None:
        raise ValueError(room.unknown_node(text, living))
    return found.node_id


def has_room(node_id: str, asked: Mapping[str, Any]) -> bool:
    """Whether a node has what is asked for, as far as Ray says so."""
    wanted = room.wanted(asked)
    if not wanted:
        return True
    free = _free_now()
    return free is not None and not room.shortage(wanted, [free.get(node_id, {})])


def lacking(asked: Mapping[str, Any], node: str | None) -> str:
    """What an actor that has no place yet waits for, for people; empty where Ray does not say.

    Args:
        asked: Its options.
        node: The only node that it may run on, as its spec names it, or None.
    """
    wanted, free = room.wanted(asked), _free_now()
    if free is None or not wanted:
        return ""
    named = None if node is None else room.node_named(node, nodes_now())
    where = free.values() if node is None else [free.get(named.node_id, {})] if named is not None else []
    return room.shortage(wanted, where)


def _free_now() -> dict[str, dict[str, float]] | None:
    """What is free, by node and resource."""
    try:
        from ray._private import state  # noqa: PLC0415 - private: there is no public way to ask for one node's

        return state.available_resources_per_node()
    except (ImportError, AttributeError, RayError, RuntimeError):
        return None


def refuse_unsatisfiable(asked: Mapping[str, Any], node_id: str | None) -> None:
    """Refuse what no node could ever give, or not the one named: Ray would wait for it without a word.

    Raises:
        ValueError: The message says what was asked for, and what the nodes have.
    """
    want = room.Want(path="", asked=room.wanted(asked), node=node_id)
    problem = room.why_not(want, nodes_now()) if want.asked else ""
    if problem:
        raise ValueError(problem)


def on_node(node_id: str, *, soft: bool = False) -> Any:
    """Ray's scheduling strategy for one node; softly: where that has no room, elsewhere.

    Softly is no more than a hint: on three idle nodes of Ray 2.60, 16 of 24 actors without resources went elsewhere.
    """
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy  # noqa: PLC0415 - costs 30 ms to import

    return NodeAffinitySchedulingStrategy(node_id=node_id, soft=soft)
