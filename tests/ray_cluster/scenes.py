"""What befalls a supervisor's nodes, and what becomes of its tasks. Run by `apart`, on its cluster."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from actors.runtime import process
from actors.runtime.draining import draining_nodes
from actors.runtime.ids import NAMESPACE
from actors.runtime.process import ProcessIdentity
from supervisor import Policy, Retry, Supervisor
from supervisor.tree import Location
from tests.ray_cluster.nodes import Nodes, drained, eventually, gcs_paused, hung, killed

TASKS = 400
WORKERS = 6
STEADFAST = Policy(retry=Retry(attempts=20))


def slow_square(number: int) -> int:
    time.sleep(0.005)
    return number * number


@contextmanager
def supervisor_on(nodes: Nodes, log: str) -> Generator[Supervisor]:
    """A supervisor with workers on all nodes."""
    pool = {"size": WORKERS - 2, "standbys": 2, "heartbeat_s": 0.3, "hang_timeout_s": 1.5, "intensity": 1000}
    config = {"pools": {"default": pool}, "log": {"path": str(Path(log) / f"{uuid4().hex}.duckdb")}}
    sup = Supervisor.start(config, name=f"s{uuid4().hex[:8]}")
    try:
        all_nodes = len(nodes.others) + 1
        eventually(lambda: len(places(sup, "worker")) == WORKERS and len(places(sup, "node_agent")) == all_nodes)
        yield sup
    finally:
        sup.shutdown()


def places(sup: Supervisor, concern: str) -> list[Location]:
    """Where the running children of that concern are."""
    return [
        child.location
        for child in sup.status().tree
        if child.key.startswith(f"{concern}/") and child.status == "running" and child.location is not None
    ]


def victim(nodes: Nodes, sup: Supervisor) -> Any:
    """A node that is not the head and has a worker on it."""
    busy = {where.node_id for where in places(sup, "worker")}
    return next(node for node in nodes.others if node.node_id in busy)


def submit_some(sup: Supervisor) -> list[Any]:
    """Tasks on all workers, the first of them done."""
    futures = [sup.options(policy=STEADFAST).submit(slow_square, n) for n in range(TASKS)]
    futures[20].result(timeout=40)
    return futures


def all_right(futures: list[Any]) -> bool:
    return [future.result(timeout=40) for future in futures] == [n * n for n in range(len(futures))]


def restored_without(sup: Supervisor, node_id: str) -> bool:
    found = places(sup, "worker")
    return len(found) == WORKERS and all(where.node_id != node_id for where in found)


def node_killed(nodes: Nodes, log: str) -> dict[str, Any]:
    with supervisor_on(nodes, log) as sup:
        node = victim(nodes, sup)
        futures = submit_some(sup)
        with killed(nodes, node):
            right = all_right(futures)
            eventually(lambda: restored_without(sup, node.node_id))
            agents = len(places(sup, "node_agent"))
        ends = sup.events.query("select distinct exit_class as e from restarts where child like 'worker/%'")
        [rows] = sup.events.query("select count(*) as n, count(distinct task_id) as d from tasks where state = 'done'")
        return {
            "right": right,
            "agents": agents,
            "ends": sorted(row["e"] for row in ends),
            "rows": [rows["n"], rows["d"]],
            "incarnation": sup.status().incarnation,
            "others": len(nodes.others),
        }


def node_hung(nodes: Nodes, log: str) -> dict[str, Any]:
    with supervisor_on(nodes, log) as sup:
        node = victim(nodes, sup)
        there = [where.process for where in places(sup, "worker") if where.node_id == node.node_id]
        futures = submit_some(sup)
        with hung(nodes, node) as children:
            ran_on = [process.is_alive(one) for one in there]
            eventually(lambda: not nodes.is_alive(node))
            right = all_right(futures)
            eventually(lambda: restored_without(sup, node.node_id))
        known = {one.pid for one in children}
        return {
            "right": right,
            "ran_on": all(ran_on) and {one.pid for one in there} <= known,
            "left": sum(process.is_alive(one) for one in children),
            "incarnation": sup.status().incarnation,
            "others": len(nodes.others),
        }


def gcs_stands_still(nodes: Nodes, log: str) -> dict[str, Any]:
    """Tasks go on meanwhile; a worker that dies then is replaced afterwards."""
    with supervisor_on(nodes, log) as sup:
        futures = submit_some(sup)
        before = {where.process for where in places(sup, "worker")}
        with gcs_paused(nodes, for_s=30):
            assert process.evidence(nodes.gcs, 0.0).state == "T"
            unknown = draining_nodes(timeout_s=0.5) is None
            right = all_right(futures)
            lost = local_worker(sup)
            process.kill(lost)
            again = all_right([sup.options(policy=STEADFAST).submit(slow_square, n) for n in range(50)])
        eventually(lambda: replaced(sup, before, lost))
        return {
            "unknown": unknown,
            "right": right,
            "again": again,
            "incarnation": sup.status().incarnation,
            "nodes": sum(row["Alive"] for row in ray.nodes()),
        }


def local_worker(sup: Supervisor) -> ProcessIdentity:
    here = ray.get_runtime_context().get_node_id()
    return next(where.process for where in places(sup, "worker") if where.node_id == here)


def replaced(sup: Supervisor, before: set[ProcessIdentity], lost: ProcessIdentity) -> bool:
    """Whether all run again, the lost one in a new process and the others untouched."""
    now = {where.process for where in places(sup, "worker")}
    return len(now) == WORKERS and before - now == {lost}


def node_drained(nodes: Nodes) -> dict[str, Any]:
    node = nodes.others[0]
    there = NodeAffinitySchedulingStrategy(node_id=node.node_id, soft=False)
    remote: Any = ray.remote(Resident)
    resident = remote.options(num_cpus=0, scheduling_strategy=there).remote()
    pid = ray.get(resident.pid.remote())
    before = draining_nodes()
    with drained(nodes, node, deadline_s=30):
        eventually(lambda: node.node_id in (draining_nodes() or {}), 2)
        seen = (draining_nodes() or {})[node.node_id]
        alive = ray.get(resident.pid.remote()) == pid and nodes.is_alive(node)
    eventually(lambda: draining_nodes() == {})
    return {"before": before, "reason": seen.reason, "deadline_in_s": seen.deadline_in_s, "alive": alive}


class Resident:
    def pid(self) -> int:
        return process.this_process().pid


def fault_in_a_failing_test(nodes: Nodes) -> dict[str, Any]:
    """A fault ends with its block, however that ends, and a pause of the GCS by itself, too."""
    with suppress(AssertionError), gcs_paused(nodes, for_s=30):
        eventually(lambda: False, 0.1)
    state = process.evidence(nodes.gcs, 0.0).state
    with gcs_paused(nodes, for_s=0.2):
        eventually(lambda: process.evidence(nodes.gcs, 0.0).state != "T", 10)
    return {"still_stopped": state == "T"}


MAKE_LEADER = """
import sys, ray
from actors.runtime.ids import NAMESPACE
from tests.prestarting import Leader
ray.init(address=sys.argv[1], namespace=NAMESPACE, log_to_driver=False)
leader = ray.remote(Leader).options(num_cpus=0, lifetime="detached", name=sys.argv[2]).remote()
ray.get(leader.told.remote())
"""


def leader_of_a_job_that_ended(nodes: Nodes) -> dict[str, Any]:
    """Its actors start in warm processes after the job that made it has ended."""
    name = uuid4().hex
    address: str = ray.get_runtime_context().gcs_address
    subprocess.run([sys.executable, "-c", MAKE_LEADER, address, name], check=True, timeout=60)
    eventually(lambda: sum(not job["IsDead"] for job in jobs()) == 1)
    leader: Any = ray.get_actor(name, namespace=NAMESPACE)
    warm: list[bool] = []

    def two_were_warm() -> bool:
        warm.append(ray.get(leader.create.remote("WARM"))[0])
        return sum(warm) >= 2

    eventually(two_were_warm)
    told: Any = ray.get(leader.told.remote())
    ray.kill(leader)
    return {"told": told}


def jobs() -> list[dict[str, Any]]:
    from ray._private import state  # noqa: PLC0415 - private: what `ray list jobs` shows, without a dashboard

    found: Any = state.jobs()
    return found
