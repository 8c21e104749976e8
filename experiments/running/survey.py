"""Who is there to be hit, as the supervisor's status and Ray's tables tell: nobody is asked who may be ill."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ray

from actors.runtime.process import this_process
from experiments.hands.orders import Spot
from experiments.planning.inventory import Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

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
LOG = "event_log/writer"
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
        up: Who has come up, also those who stand by.
    """

    targets: tuple[Target, ...]
    spots: Mapping[str, Spot]
    up: frozenset[str] = frozenset()

    @property
    def lives(self) -> dict[str, int]:
        """The incarnation of each that has one."""
        return {name: spot.incarnation for name, spot in self.spots.items() if spot.incarnation}

    def life_of(self, name: str) -> Spot | None:
        """Where it is, if it has a process and has come up."""
        spot = self.spots.get(name)
        return spot if spot is not None and spot.process is not None and name in self.up else None


def survey(sup: Supervisor, *, dependencies: Iterable[str] = ()) -> Survey:
    """Look at the cluster.

    Args:
        sup: Its supervisor.
        dependencies: Hosts that are called from it.
    Raises:
        SupervisorError: Nobody leads.
    """
    status = sup.status()
    labels = sup.config.chaos.labels_of
    found = [*_children(status), *_system(status), *_nodes(_log_node(status))]
    found += [(Spot(name=f"{DEPENDENCY}{host}", kind="dependency"), "", True) for host in dependencies]
    spots = {spot.name: spot for spot, _, _ in found}
    called = {spot.node_id: spot.name.partition("/")[2] for spot in spots.values() if spot.kind == "node"}
    targets = tuple(
        Target(
            name=spot.name,
            kind=spot.kind,
            node=spot.node_id,
            node_name=called.get(spot.node_id, ""),
            group=group,
            labels=labels(spot.name),
            incarnation=spot.incarnation,
            running=running,
            process=_told(spot),
        )
        for spot, group, running in found
    )
    up = {child.key for child in status.tree if child.status == "running"} | {
        spot.name for spot, _, runs in found if runs
    }
    return Survey(targets=tuple(sorted(targets, key=lambda target: target.name)), spots=spots, up=frozenset(up))


def _told(spot: Spot) -> str:
    """Its process, told from all others of the cluster."""
    process = spot.process
    return "" if process is None else f"{spot.node_id}/{process.pid}/{process.started_ticks}"


def hosts_of(faults: Iterable[Fault]) -> tuple[str, ...]:
    """The dependencies that faults name; one that is only described is no target: nobody lists a cluster's hosts."""
    named = (fault.target.name for fault in faults if fault.target.kind == "dependency")
    return tuple(dict.fromkeys(name.removeprefix(DEPENDENCY) for name in named if not set(_GLOB) & set(name)))


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


def _log_node(status: SupervisorStatus) -> str:
    """The node of the event log; nothing while its writer runs nowhere."""
    writer = next((child.location for child in status.tree if child.key == LOG), None)
    return "" if writer is None else writer.node_id


def _nodes(log_node: str) -> Iterator[tuple[Spot, str, bool]]:
    """Each node, of the group by which it can be aimed at on any cluster."""
    named: dict[str, int] = defaultdict(int)
    nodes: list[dict[str, Any]] = [node for node in ray.nodes() if node["Alive"]]
    for node in nodes:
        named[str(node.get("NodeName") or "")] += 1
    for node in nodes:
        node_id, called = str(node["NodeID"]), str(node.get("NodeName") or "")
        is_head = _HEAD in node.get("Resources", {})
        own = called if called and named[called] == 1 and called != node.get("NodeManagerAddress") else node_id[:12]
        group = "head" if is_head else "log" if node_id == log_node else "others"
        yield Spot(name=f"node/{'head' if is_head else own}", kind="node", node_id=node_id), group, True
        if is_head:
            yield Spot(name=GCS, kind="gcs", node_id=node_id), "", True
