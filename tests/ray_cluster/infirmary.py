"""What befalls the health monitor of a cluster: scenes for `apart`."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

from supervisor import Supervisor
from tests.ray_cluster.households import Ward, off_head, view
from tests.ray_cluster.nodes import Nodes, eventually, stopped

PATIENT: Any = {"heartbeat_s": 1.0, "hang_timeout_s": 60.0}
"""Nothing hangs, or what is stopped is not to be replaced; on a busy machine all are slow to answer."""

CHECK: Any = {"interval_s": 0.2, "timeout_s": 0.5, "failures": 2}


def well() -> bool:
    return True


def nodes_out_of_reach(nodes: Nodes, log: str) -> dict[str, Any]:
    """The places on two of three nodes do not answer the monitor, while a child on one of them runs on."""
    config = {
        "pools": {"default": {"size": 1, "standbys": 0, **PATIENT}},
        "services": PATIENT,
        "log": {"path": str(Path(log) / f"{uuid4().hex}.duckdb")},
        "health": {"sample_s": 0.5},
        "warm_processes": 0,
    }
    sup = Supervisor.start(config, name=f"i{uuid4().hex[:8]}")
    try:
        return _out_of_reach(sup, nodes)
    finally:
        sup.shutdown()


def _out_of_reach(sup: Supervisor, nodes: Nodes) -> dict[str, Any]:
    health = sup.health
    ward: Any = sup.supervise(Ward, name="ward", standbys=1, checkpoint="each_call", **PATIENT)
    node = off_head(sup, nodes, ward, "ward")
    before, restarts = ward.pid.remote().result(timeout=60), view(sup, "child/ward").restarts
    health.register("ward", well, on=f"node:{node.node_id}", **CHECK)
    health.register("every", well, on="every_node", **CHECK)
    eventually(lambda: _state(sup, "ward") == _state(sup, "every") == "healthy")
    known = sup.view_now()
    assert known is not None
    agents = [child for child in known.children if child.key.startswith("node_agent/")]
    homes = {each.node_id for each in nodes.others}
    away = [child.location.process for child in agents if child.location and child.location.node_id in homes]
    with ExitStack() as faults, health.subscribe() as changes:
        for agent in away:
            faults.enter_context(stopped(agent))
        eventually(lambda: _state(sup, "ward") == "unknown")
        eventually(lambda: health.report().blind != "")
        blind = health.report().blind
        outcomes = {check.outcome for check in health.history("ward", since_s=1.0)}
        counted = ward.add.remote().result(timeout=60)
        faults.close()
        eventually(lambda: _state(sup, "ward") == _state(sup, "every") == "healthy")
        told = [change for change in iter(lambda: changes.next(1.0), None)]
    return {
        "stopped": len(away),
        "blind": blind,
        "outcomes": sorted(outcomes),
        "counted": counted,
        "sick": [change.component for change in told if change.after in ("unhealthy", "unready")],
        "same": ward.pid.remote().result(timeout=60) == before,
        "restarts": view(sup, "child/ward").restarts - restarts,
    }


def _state(sup: Supervisor, name: str) -> str:
    standing = sup.health.standing()
    return "unknown" if standing is None else standing.components.get(name, "unregistered")
