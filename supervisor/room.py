"""Whether the cluster has room for what specs reserve, and what a start waits for that has not got it. Pure.

What is asked for at a time is held against what the nodes have, not against what is free: what is taken may be given
back, but what is not there will not come. Each kind of actor is counted by how many a node can hold of it; kinds that
differ are added up, so that some mixtures pass which no arrangement fits: of those the late start tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

_SLACK = 1e-6
"""Shares of a CPU are kept by Ray in ten-thousandths; their sums are not exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A living node.

    Attributes:
        node_id: Its id.
        names: How else users may call it: its address, its name.
        total: What it has, by resource.
    """

    node_id: str
    names: tuple[str, ...] = ()
    total: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """So many actors that each reserve the same.

    Attributes:
        path: Of the child, pool or group.
        asked: What each of them reserves, by resource; nothing that is 0.
        count: How many there are, with those that stand by.
        node: The only node that they may run on, as the spec names it, or None.
    """

    path: str
    asked: Mapping[str, float]
    count: int = 1
    node: str | None = None


def wanted(options: Mapping[str, object]) -> dict[str, float]:
    """What Ray's options for an actor reserve, by resource."""
    given = options.get("resources") or {}
    assert isinstance(given, Mapping)
    found: dict[str, float] = {"CPU": _number(options.get("num_cpus")), "GPU": _number(options.get("num_gpus"))}
    found |= {str(name): _number(amount) for name, amount in given.items()}
    return {name: amount for name, amount in found.items() if amount}


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def is_demanding(want: Want) -> bool:
    """Whether there are clusters that it cannot run on."""
    return bool(want.count and want.asked) or want.node is not None


def misplaced(new: Sequence[Want], nodes: Sequence[Node], beside: Iterable[Want] = ()) -> list[str]:
    """Why the cluster can never run all of it, for people; empty if nothing is known against it.

    Args:
        new: What is to start.
        nodes: The living nodes.
        beside: What is to stay with it.
    """
    found = [f"{want.path}: {problem}" for want in new if (problem := why_not(want, nodes))]
    return found or _too_much(new, beside, nodes)


def node_named(text: str, nodes: Iterable[Node]) -> Node | None:
    """The node that a user named by its id, the beginning of that, its address or its name."""
    return next((node for node in nodes if text in node.names or node.node_id.startswith(text)), None)


def unknown_node(text: str, nodes: Iterable[Node]) -> str:
    """What to say to somebody who named a node that there is not."""
    known = ", ".join(f"{node.node_id[:12]} ({', '.join(node.names[:1])})" for node in nodes)
    return f"no living node is called {text!r}; there are: {known}"


def shortage(asked: Mapping[str, float], free: Iterable[Mapping[str, float]]) -> str:
    """What an actor waits for that has no place yet; empty if a node has room for it.

    Args:
        asked: What it reserves.
        free: What is free on each node that it may run on.
    """
    nodes = list(free)
    if any(_fits(asked, node) for node in nodes):
        return ""
    most = {name: max((node.get(name, 0.0) for node in nodes), default=0.0) for name in asked}
    told = ", ".join(f"{name}: {amount:g} (at most {most[name]:g} free on a node)" for name, amount in asked.items())
    return f"it waits for {told}; give some back, ask for less, or add a node"


def why_not(want: Want, nodes: Sequence[Node]) -> str:
    """Why the cluster can never run that many of one kind; empty if it can."""
    where = list(nodes)
    if want.node is not None:
        named = node_named(want.node, nodes)
        if named is None:
            return unknown_node(want.node, nodes)
        where = [named]
    if not want.asked or not want.count:
        return ""
    place = "no node has" if want.node is None else f"node {where[0].node_id[:12]} has not"
    if not any(_fits(want.asked, node.total) for node in where):
        most = {name: max((node.total.get(name, 0.0) for node in where), default=0.0) for name in want.asked}
        told = ", ".join(f"{name}: {amount:g} (at most {most[name]:g})" for name, amount in want.asked.items())
        return f"{place} room for {told}; ask for less, or add a node that has it"
    fitting = sum(_how_many(want.asked, node.total) for node in where)
    if fitting >= want.count:
        return ""
    each = ", ".join(f"{name}: {amount:g}" for name, amount in want.asked.items())
    there = "the cluster has" if want.node is None else f"node {where[0].node_id[:12]} has"
    return (
        f"{there} room for {fitting} of {want.count} (with those that stand by) that reserve {each} each; "
        "ask for less, or add a node"
    )


def _too_much(new: Sequence[Want], beside: Iterable[Want], nodes: Sequence[Node]) -> list[str]:
    """All together reserve more than there is, though each kind alone has room."""
    sums: dict[str, float] = {}
    for want in (*new, *beside):
        for name, amount in want.asked.items():
            sums[name] = sums.get(name, 0.0) + amount * want.count
    there = {name: sum(node.total.get(name, 0.0) for node in nodes) for name in sums}
    return [
        f"all together reserve {name}: {sums[name]:g}, and the cluster has {there[name]:g}; ask for less, or add a node"
        for name in sums
        if sums[name] > there[name] + _SLACK and any(name in want.asked and want.count for want in new)
    ]


def _fits(asked: Mapping[str, float], node: Mapping[str, float]) -> bool:
    return all(node.get(name, 0.0) >= amount - _SLACK for name, amount in asked.items())


def _how_many(asked: Mapping[str, float], node: Mapping[str, float]) -> int:
    return min(int((node.get(name, 0.0) + _SLACK) / amount) for name, amount in asked.items())
