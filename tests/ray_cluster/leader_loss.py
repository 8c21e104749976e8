"""Run by `test_leader_loss.py` in a process of its own: on two nodes, leaders are lost in every way."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import ray
from ray.cluster_utils import Cluster

from actors.runtime import process
from supervisor import Supervisor
from supervisor.launch import CLUSTER_KNOBS
from supervisor.link import wait_until
from tests.ray_cluster.nodes import PATIENCE_S
from tests.ray_cluster.scenes import STEADFAST, slow_square


def is_whole(sup: Supervisor) -> bool:
    """Whether all children run, but for the agents of nodes that are gone, and a standby is ready."""
    status = sup.status()
    return status.standby is not None and all(
        child.status == "running" or (child.status == "stopped" and child.key.startswith("node_agent/"))
        for child in status.tree
    )


def pids(sup: Supervisor) -> dict[str, int]:
    return {
        child.key: child.location.process.pid
        for child in sup.status().tree
        if child.location is not None and child.status == "running"
    }


def lose_the_leader(sup: Supervisor, number: signal.Signals) -> dict[str, Any]:
    """Signal the leader's process; what became of it, of its tasks and of its children."""
    assert wait_until(lambda: is_whole(sup), PATIENCE_S), sup.status()
    before, status = pids(sup), sup.status()
    assert status.leader_location is not None
    assert status.standby_location is not None
    futures = [sup.options(policy=STEADFAST).submit(slow_square, n) for n in range(300)]
    os.kill(status.leader_location.process.pid, number)
    succeeded = wait_until(lambda: sup.status().leader == status.standby, PATIENCE_S)
    right = [future.result(timeout=PATIENCE_S) for future in futures] == [n * n for n in range(300)]
    whole = wait_until(lambda: is_whole(sup), PATIENCE_S)
    return {
        "elsewhere": status.standby_location.node_id != status.leader_location.node_id,
        "succeeded": succeeded,
        "fenced": not process.is_alive(status.leader_location.process),
        "right": right and all(future.attempts == 1 for future in futures),
        "adopted": whole and pids(sup) == before,
    }


def lose_its_node(sup: Supervisor, cluster: Cluster, nodes: dict[str, Any]) -> dict[str, Any]:
    """Let the leader get to the second node, and kill that node's raylet."""
    while (where := sup.status().leader_location) is None or where.node_id not in nodes:
        lose_the_leader(sup, signal.SIGKILL)
    assert wait_until(lambda: is_whole(sup), PATIENCE_S)
    standby = sup.status().standby
    nodes[where.node_id].kill_raylet()
    succeeded = wait_until(lambda: sup.status().leader == standby, PATIENCE_S)
    cluster.add_node(num_cpus=2)
    whole = wait_until(lambda: is_whole(sup), PATIENCE_S)
    return {
        "succeeded": succeeded,
        "whole": whole,
        "right": sup.submit(slow_square, 7).result(timeout=PATIENCE_S) == 49,
        "gone": wait_until(lambda: not process.is_alive(where.process), PATIENCE_S),
    }


def main(log: str, answer: Path) -> None:
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "_system_config": dict(CLUSTER_KNOBS)})
    node = cluster.add_node(num_cpus=2)
    ray.init(address=cluster.address, log_to_driver=False)
    beats = {"heartbeat_s": 0.5, "hang_timeout_s": 2.0}
    config = {"pools": {"default": {"size": 2, "standbys": 1, **beats}}, "services": beats, "log": {"path": log}}
    try:
        sup = Supervisor.start(config, name="nodes")
        seen = {
            "killed": lose_the_leader(sup, signal.SIGKILL),
            "stopped": lose_the_leader(sup, signal.SIGSTOP),
            "node": lose_its_node(sup, cluster, {node.node_id: node}),
        }
        sup.shutdown()
        answer.write_text(json.dumps(seen))
    finally:
        ray.shutdown()
        cluster.shutdown()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
