"""Who is hit with a target, because they share what the fault is about: its process, or its node. Pure.

A fault is about one of three things, and reaches accordingly:

    latency, error, unavailable, a call that hangs     the target alone
    crash, stop, its open files, its disk              whoever is in its process: all of them must be selected
    processors, memory; a node's loss or stop          whoever is on its node: they count as if they were selected
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from experiments.planning.ground import Ground, node_place, process_place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from experiments.model.faults import FaultKind
    from experiments.model.selector import TargetKind
    from experiments.planning.inventory import Inventory, Target

Scope = Literal["target", "process", "node"]

_OF_ITS_NODE = ("cpu", "memory")
_NOBODYS: frozenset[TargetKind] = frozenset(("injector", "dependency", "node", "gcs", "rpc", "clock"))
"""What is no neighbour: it is nobody's who could be asked, or it is who asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """A fault on a target.

    Attributes:
        place: The fault's step in the method.
        target: Whom.
        scope: What the fault is about.
        there: All that shares this with the target, without itself.
    """

    place: int
    target: Target
    scope: Scope
    there: tuple[Target, ...] = ()

    @property
    def beside(self) -> tuple[Target, ...]:
        """Who is hit with it, also who stands by."""
        return tuple(each for each in self.there if each.kind not in _NOBODYS)


def scope_of(fault: FaultKind, how: Mapping[str, object], kind: TargetKind) -> Scope:
    """What a fault is about.

    Args:
        fault: What.
        how: Its fields.
        kind: What it hits.
    """
    match fault:
        case "exhaustion":
            return "node" if how.get("resource") in _OF_ITS_NODE else "process"
        case "crash" | "hang" if kind == "node":
            return "node"
        case "hang" if how.get("how") == "block" or kind == "dependency":
            return "target"
        case "crash" | "hang":
            return "process"
        case _:
            return "target"


def aim(place: int, fault: FaultKind, how: Mapping[str, object], target: Target, inventory: Inventory) -> Aim:
    """A fault on a target, with all that it reaches.

    Args:
        place: Its step in the method.
        fault: What.
        how: Its fields.
        target: Whom.
        inventory: What there is.
    """
    scope = scope_of(fault, how, target.kind)
    there = (each for each in inventory.targets if each.name != target.name and _shares(each, target, scope))
    return Aim(place=place, target=target, scope=scope, there=tuple(there))


def reached(aims: Iterable[Aim]) -> tuple[Target, ...]:
    """Who is hit without having been selected, by name."""
    aimed = list(aims)
    hits = {each.target.name for each in aimed}
    found = {each.name: each for one in aimed for each in one.beside if each.name not in hits}
    return tuple(found[name] for name in sorted(found))


def ground_of(aims: Sequence[Aim]) -> Ground:
    """All that these touch."""
    names = {target.name for target in reached(aims)}
    holds, stands = set[str](), set[str]()
    for one in aims:
        target = one.target
        names.add(target.name)
        process = {process_place(target.process)} if target.process else set[str]()
        node = {node_place(target.node)} if target.node else set[str]()
        stands |= node | process
        holds |= node | process if one.scope == "node" else process
    return Ground(names=tuple(sorted(names)), holds=tuple(sorted(holds)), stands=tuple(sorted(stands)))


def _shares(one: Target, other: Target, scope: Scope) -> bool:
    match scope:
        case "target":
            return False
        case "process":
            return bool(other.process) and one.process == other.process
        case "node":
            return bool(other.node) and one.node == other.node
