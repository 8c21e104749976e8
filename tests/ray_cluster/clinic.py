"""What healers of a cluster of several nodes do: scenes for `apart`."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import ray

from supervisor import Isolate, Restore, Supervisor
from tests.ray_cluster.households import Ward, off_head, view
from tests.ray_cluster.infirmary import PATIENT
from tests.ray_cluster.nodes import Nodes, eventually

QUICK: Any = {"verify_s": 20.0, "verify_every_s": 0.1, "healers": 2}


def clinic(log: str) -> Supervisor:
    config = {
        "pools": {"default": {"size": 1, "standbys": 0, "intensity": 1000, **PATIENT}},
        "services": PATIENT,
        "root": {"intensity": 1000},
        "log": {"path": str(Path(log) / f"{uuid4().hex}.duckdb")},
        "healer": QUICK,
        "warm_processes": 0,
    }
    return Supervisor.start(config, name=f"c{uuid4().hex[:8]}")


def healers_elsewhere(nodes: Nodes, log: str) -> dict[str, Any]:
    """Recoveries run off the failing node and off a sick one."""
    del nodes
    sup = clinic(log)
    try:
        sup.healer.start()
        homes = _homes(sup)
        ran = {node: _ran_on(sup, log, f"on-{node[:8]}", node) for node in homes}
        return {
            "homes": len(homes),
            "elsewhere": all(node not in (failing, "") for failing, node in ran.items()),
            "healthy": [_off_sick(sup, log, node) for node in homes],
        }
    finally:
        sup.shutdown()


def an_isolated_node(nodes: Nodes, log: str) -> dict[str, Any]:
    """A node is drained with all on it, and kept off."""
    sup = clinic(log)
    try:
        sup.healer.start()
        _homes(sup)
        return _isolated(sup, nodes)
    finally:
        sup.shutdown()


def _homes(sup: Supervisor) -> list[str]:
    """The nodes of the healers."""

    def found() -> list[str]:
        healers = [child for child in sup.status().tree if child.key in ("healer/1", "healer/2")]
        return [child.location.node_id for child in healers if child.location and child.status == "running"]

    eventually(lambda: len(found()) == 2)
    return sorted(set(found()))


def _off_sick(sup: Supervisor, log: str, sick: str) -> bool:
    """Whether recoveries run elsewhere once it is known that a probe is failing on a node."""
    sup.health.register("room", too_hot, on=f"node:{sick}", interval_s=0.2, timeout_s=1.0, failures=1)
    eventually(lambda: (standing := sup.health.standing()) is not None and standing.sick_nodes == (sick,))
    names = count()

    def is_off() -> bool:
        """On a busy machine healers are replaced: there must be one elsewhere."""
        return _ran_on(sup, log, f"off-{sick[:8]}-{next(names)}") != sick or _homes(sup) == [sick]

    eventually(is_off)
    off = [is_off() for _ in range(3)]
    sup.health.unregister("room")
    return all(off)


def too_hot() -> bool:
    return False


def _ran_on(sup: Supervisor, log: str, name: str, failing: str = "") -> str:
    """Where a recovery of what fails on a node, if it does on one, was run."""
    told = Path(log) / name

    def load(component: str) -> str:
        del component
        return str(ray.get_runtime_context().get_node_id())

    def apply(node: str) -> None:
        told.write_text(node, encoding="ascii")

    sup.healer.plan(name, [Restore(load=load, apply=apply)])
    sup.healer.report(name, failure="spoilt", node=failing)
    eventually(lambda: told.exists() and told.read_text(encoding="ascii") != "")
    return told.read_text(encoding="ascii")


def _isolated(sup: Supervisor, nodes: Nodes) -> dict[str, Any]:
    ward: Any = sup.supervise(Ward, name="ward", standbys=1, checkpoint="each_call", **PATIENT)
    node = off_head(sup, nodes, ward, "ward").node_id
    counted = ward.add.remote().result(timeout=60)
    sup.healer.plan("ward", [Isolate(drain_s=30.0, timeout_s=40.0, keep_off_s=600.0)])
    sup.healer.report("ward", failure="node sick")
    eventually(lambda: any(each.component == "ward" and each.is_over for each in sup.healer.incidents()))
    (incident,) = (each for each in sup.healer.incidents() if each.component == "ward")
    kept_off = [*sup.healer.kept_off()]
    others = [sup.supervise(Ward, name=f"other-{number}", **PATIENT) for number in range(3)]
    return {
        "phase": incident.phase,
        "why": [
            entry.detail
            for entry in incident.history
            if entry.outcome not in ("", "succeeded")
            if entry.detail != "the healer was lost"  # so says a coordinator that was itself on that node, and moved
        ],
        "left": sorted(
            child.key
            for child in sup.status().tree
            if child.location is not None and child.location.node_id == node and child.status == "running"
            if not child.key.startswith(("node_agent/", "event_log/"))
        ),
        "moved": view(sup, "child/ward").location.node_id != node,
        "counted": ward.add.remote().result(timeout=60) - counted,
        "new": any(each.node.remote().result(timeout=60) == node for each in others),
        "kept_off": kept_off == [node],
        "readmitted": _readmitted(sup, node),
    }


def _readmitted(sup: Supervisor, node: str) -> bool:
    """Whether work may go to a node again."""
    was_off = sup.healer.readmit(node[:12])
    eventually(lambda: (seen := sup.view_now()) is not None and node not in seen.draining)
    return was_off and sup.healer.kept_off() == {}
