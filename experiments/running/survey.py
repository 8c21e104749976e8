"""Who is there to be hit, as the supervisor's status and Ray's tables tell: nobody is asked who may be ill."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ray

from actors.runtime.actor_table import actor_rows
from actors.runtime.process import this_process
from experiments.hands.orders import Spot
from experiments.planning.inventory import Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from experiments.hands.hands import Hands
    from experiments.model.faults import Fault
    from experiments.model.selector import TargetKind
    from supervisor import Supervisor
    from supervisor.status import SupervisorStatus
    from supervisor.views import ChildView

KINDS: Mapping[str, TargetKind] = {
    "child": "child",
    "worker": "worker",
    "breaker": "breaker",
    "health": "monitor",
    "healer": "healer",
    "event_log": "event_log",
}
"""What a supervisor's child is, by its concern; others are not hit."""

INJECTOR, CLOCK, GCS, RPC, ROOT = "injector/self", "clock/cluster", "gcs/head", "rpc/cluster", "supervisor/root"
DEPENDENCY = "dependency/"
_HEAD = "node:__internal_head__"
_POOL = "pool:"
_GLOB = "*?["


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """Everybody at one moment.

    Attributes:
        targets: Whom a selector may mean.
        spots: Where each of them is, by name.
        agents: An actor of ours on each node, by the node's id: its parent is the raylet.
    """

    targets: tuple[Target, ...]
    spots: Mapping[str, Spot]
    agents: Mapping[str, str]

    @property
    def lives(self) -> dict[str, int]:
        """The incarnation of each that has one."""
        return {name: spot.incarnation for name, spot in self.spots.items() if spot.incarnation}

    def life_of(self, name: str) -> Spot | None:
        """Where it is, if it has a process."""
        spot = self.spots.get(name)
        return spot if spot is not None and spot.process is not None else None


def survey(sup: Supervisor, *, dependencies: Iterable[str] = ()) -> Survey:
    """Look at the cluster.

    Args:
        sup: Its supervisor.
        dependencies: Hosts that are called from it.
    Raises:
        SupervisorError: Nobody leads.
    """
    status, view = sup.status(), sup.view_now()
    labels = sup.config.chaos.labels_of
    found = [*_children(status), *_system(status), *_nodes()]
    found += [(Spot(name=f"{DEPENDENCY}{host}", kind="dependency"), "", True) for host in dependencies]
    spots = {spot.name: spot for spot, _, _ in found}
    targets = tuple(
        Target(
            name=spot.name,
            kind=spot.kind,
            node=spot.node_id,
            group=group,
            labels=labels(spot.name),
            incarnation=spot.incarnation,
            running=running,
            process=_told(spot),
        )
        for spot, group, running in found
    )
    return Survey(
        targets=tuple(sorted(targets, key=lambda target: target.name)),
        spots=spots,
        agents={} if view is None else dict(view.agents),
    )


def _told(spot: Spot) -> str:
    """Its process, told from all others of the cluster."""
    process = spot.process
    return "" if process is None else f"{spot.node_id}/{process.pid}/{process.started_ticks}"


def hosts_of(faults: Iterable[Fault]) -> tuple[str, ...]:
    """The dependencies that faults name; one that is only described is no target: nobody lists a cluster's hosts."""
    named = (fault.target.name for fault in faults if fault.target.kind == "dependency")
    return tuple(dict.fromkeys(name.removeprefix(DEPENDENCY) for name in named if not set(_GLOB) & set(name)))


def raylet_of(hands: Hands, seen: Survey, node_id: str) -> Spot | None:
    """The raylet of a node, found as the parent of a worker of ours; None where none of ours runs."""
    agent = seen.agents.get(node_id)
    pid = next((row.pid for row in actor_rows() if str(row.name) == agent and row.pid), 0)
    process = hands.on(node_id).raylet(pid) if pid else None
    return None if process is None else Spot(name=node_id, kind="node", node_id=node_id, process=process)


def _children(status: SupervisorStatus) -> Iterator[tuple[Spot, str, bool]]:
    for child in status.tree:
        kind = KINDS.get(child.key.partition("/")[0])
        if kind is not None:
            yield _spot_of(child, kind), child.group.removeprefix(_POOL), _serves(child)


def _serves(child: ChildView) -> bool:
    return child.status == "running" and child.role != "standby" and child.location is not None


def _spot_of(child: ChildView, kind: TargetKind) -> Spot:
    where = child.location
    return Spot(
        name=child.key,
        kind=kind,
        node_id="" if where is None else where.node_id,
        actor=child.actor,
        process=None if where is None else where.process,
        incarnation=child.incarnation or _number(child.name),
    )


def _number(name: str) -> int:
    return int(name.rpartition("#")[2] or 0)


def _system(status: SupervisorStatus) -> Iterator[tuple[Spot, str, bool]]:
    where = status.leader_location
    leader = Spot(
        name=ROOT,
        kind="supervisor",
        node_id="" if where is None else where.node_id,
        actor=status.leader,
        process=None if where is None else where.process,
        incarnation=status.incarnation,
    )
    yield leader, "", where is not None
    here = str(ray.get_runtime_context().get_node_id())
    yield Spot(name=INJECTOR, kind="injector", node_id=here, process=this_process()), "", True
    yield Spot(name=CLOCK, kind="clock"), "", True
    yield Spot(name=RPC, kind="rpc"), "", True


def _nodes() -> Iterator[tuple[Spot, str, bool]]:
    named: dict[str, int] = defaultdict(int)
    nodes: list[dict[str, Any]] = [node for node in ray.nodes() if node["Alive"]]
    for node in nodes:
        named[str(node.get("NodeName") or "")] += 1
    for node in nodes:
        node_id, called = str(node["NodeID"]), str(node.get("NodeName") or "")
        is_head = _HEAD in node.get("Resources", {})
        own = called if called and named[called] == 1 and called != node.get("NodeManagerAddress") else node_id[:12]
        yield Spot(name=f"node/{'head' if is_head else own}", kind="node", node_id=node_id), "", True
        if is_head:
            yield Spot(name=GCS, kind="gcs", node_id=node_id), "", True
