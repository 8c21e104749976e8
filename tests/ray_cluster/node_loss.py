"""Run by `test_nodes.py` in a process of its own: a cluster of two nodes loses one. Writes what it saw as JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import ray
from ray.cluster_utils import Cluster

from supervisor import Policy, Retry, Supervisor
from supervisor.launch import EMBEDDED_KNOBS
from supervisor.link import wait_until
from supervisor.tree import Location

PATIENCE_S = 40.0
STEADFAST = Policy(retry=Retry(attempts=20))


def slow_square(number: int) -> int:
    time.sleep(0.005)
    return number * number


def places(sup: Supervisor, concern: str) -> list[Location]:
    """Where the running children of that concern are."""
    return [
        child.location
        for child in sup.status().tree
        if child.key.startswith(f"{concern}/") and child.status == "running" and child.location is not None
    ]


def lose_a_node(sup: Supervisor, node: Any, lost: str) -> dict[str, Any]:
    futures = [sup.options(policy=STEADFAST).submit(slow_square, n) for n in range(1000)]
    futures[100].result(timeout=PATIENCE_S)
    before = sum(where.node_id == lost for where in places(sup, "worker"))
    node.kill_raylet()
    results = [future.result(timeout=PATIENCE_S) for future in futures]
    moved = wait_until(
        lambda: len(places(sup, "worker")) == 6 and all(where.node_id != lost for where in places(sup, "worker")),
        PATIENCE_S,
    )
    after = [sup.submit(slow_square, n).result(timeout=PATIENCE_S) for n in range(20)]
    ends = sup.events.query("select distinct exit_class as e from restarts where child like 'worker/%'")
    rows = sup.events.query("select count(*) as n, count(distinct task_id) as d from tasks where state = 'done'")
    return {
        "workers_there": before,
        "right": results == [n * n for n in range(1000)] and after == [n * n for n in range(20)],
        "moved": moved,
        "agents": len(places(sup, "node_agent")),
        "ends": sorted(row["e"] for row in ends),
        "rows": [rows[0]["n"], rows[0]["d"]],
        "incarnation": sup.status().incarnation,
    }


def main(log: str, answer: Path) -> None:
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "_system_config": dict(EMBEDDED_KNOBS)})
    node = cluster.add_node(num_cpus=2)
    ray.init(address=cluster.address, log_to_driver=False)
    config = {"pools": {"default": {"size": 4, "standbys": 2}}, "log": {"path": log}}
    try:
        sup = Supervisor.start(config, name="nodes")
        both = wait_until(lambda: len(places(sup, "worker")) == 6 and len(places(sup, "node_agent")) == 2, PATIENCE_S)
        seen = lose_a_node(sup, node, node.node_id)
        sup.shutdown()
        answer.write_text(json.dumps({"both": both} | seen))
    finally:
        ray.shutdown()
        cluster.shutdown()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
