"""A cluster of several nodes on this machine, and what can befall them; every fault undoes itself.

Used in a process of its own, see `apart`: a process has one Ray.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
from ray._common.utils import get_default_ray_temp_dir
from ray.cluster_utils import Cluster

from actors.runtime import process
from actors.runtime.forking import forked_workers
from actors.runtime.ids import NAMESPACE
from actors.runtime.process import ProcessIdentity
from supervisor.knobs import FORKED_MODULES
from supervisor.launch import CLUSTER_KNOBS
from supervisor.link import wait_until

LEASE_S = 60
"""A stopped process is continued after this time even if the test was killed, seconds."""

PATIENCE_S = 40.0


class Nodes:
    """A head, on which the driver and the log are, and others that may be lost."""

    def __init__(self, cluster: Any, cpus: int) -> None:
        self._cluster = cluster
        self._cpus = cpus

    @property
    def others(self) -> list[Any]:
        """All but the head; each has a `.node_id`."""
        return list(self._cluster.worker_nodes)

    @property
    def gcs(self) -> ProcessIdentity:
        return self._process_of(self._cluster.head_node, "gcs_server")

    def add(self) -> Any:
        """Add a node; returns when it is part of the cluster."""
        return self._cluster.add_node(num_cpus=self._cpus)

    def remove(self, node: Any) -> None:
        """Take a node away with all of its processes."""
        left = [self.raylet_of(node), *self.children_of(node)]
        self._cluster.remove_node(node, allow_graceful=False)
        for one in left:
            process.kill(one)

    def raylet_of(self, node: Any) -> ProcessIdentity:
        return self._process_of(node, "raylet")

    def children_of(self, node: Any) -> list[ProcessIdentity]:
        """The node's workers and agents: what its raylet has started, and the forked, whose parent is another."""
        raylet = self.raylet_of(node).pid
        living = everyone()
        found = [one for one in living if is_of(raylet, one.pid)]
        parents = {raylet}
        while parents:
            born = [one for one in living if parent_of(one.pid) in parents and one not in found]
            found += born
            parents = {one.pid for one in born}
        return found

    def is_alive(self, node: Any) -> bool:
        """Whether Ray counts the node as living."""
        return any(row["NodeID"] == node.node_id and row["Alive"] for row in ray.nodes())

    @staticmethod
    def _process_of(node: Any, kind: str) -> ProcessIdentity:
        [found] = node.all_processes[kind]
        return process.identify(found.process.pid)


def everyone() -> list[ProcessIdentity]:
    return [process.identify(int(path.name)) for path in Path("/proc").glob("[0-9]*")]


def is_of(raylet: int, pid: int) -> bool:
    """Whether a process was started for a raylet's workers: its environment says so, whoever its parent is."""
    try:
        return f"RAY_RAYLET_PID={raylet}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


def parent_of(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


@contextmanager
def started(nodes: int, *, cpus: int = 2) -> Generator[Nodes]:
    """A cluster of that many nodes with our knobs, this process connected to its head."""
    folder = tempfile.mkdtemp(prefix="rnodes-")
    head = {"num_cpus": cpus, "_system_config": dict(CLUSTER_KNOBS), "temp_dir": folder, "include_dashboard": False}
    # Ray's test cluster writes its address there too, whatever its own folder is; on a new machine it is missing.
    Path(get_default_ray_temp_dir()).mkdir(parents=True, exist_ok=True)
    with forked_workers(FORKED_MODULES):
        cluster = Cluster(initialize_head=True, head_node_args=head)
        try:
            made = Nodes(cluster, cpus)
            for _ in range(nodes - 1):
                made.add()
            ray.init(address=cluster.address, namespace=NAMESPACE, log_to_driver=False)
            yield made
        finally:
            ray.shutdown()
            cluster.shutdown()
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def killed(nodes: Nodes, node: Any) -> Generator[None]:
    """A machine that is gone: its raylet and all that it started get SIGKILL. A fresh node replaces it at the end."""
    for one in [nodes.raylet_of(node), *nodes.children_of(node)]:
        process.kill(one)
    try:
        yield
    finally:
        nodes.remove(node)
        nodes.add()


@contextmanager
def hung(nodes: Nodes, node: Any) -> Generator[list[ProcessIdentity]]:
    """A node that is cut off: its raylet is stopped, so that Ray gives it up, while its workers run on.

    Gives those workers. At the end the raylet goes on, learns that it was given up, and a fresh node takes its place.
    """
    children = nodes.children_of(node)
    try:
        with stopped(nodes.raylet_of(node)):
            yield children
    finally:
        nodes.remove(node)
        nodes.add()
        for one in children:
            process.kill(one)


@contextmanager
def gcs_paused(nodes: Nodes, *, for_s: float) -> Generator[None]:
    """The GCS stands still for that long, or until the end if that comes first."""
    gcs = nodes.gcs
    timer = threading.Timer(for_s, process.send, (gcs, signal.SIGCONT))
    with stopped(gcs):
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


@contextmanager
def stopped(target: ProcessIdentity) -> Generator[None]:
    """SIGSTOP, and SIGCONT at the end; or when the lease runs out, should this process not live to see the end."""
    lease = f"sleep {LEASE_S}; kill -CONT {target.pid}"
    with subprocess.Popen(["/bin/sh", "-c", lease], start_new_session=True, stderr=subprocess.DEVNULL) as watchdog:
        assert process.send(target, signal.SIGSTOP)
        eventually(lambda: process.evidence(target, 0.0).state == "T")  # each of its threads has to come to it
        try:
            yield
        finally:
            process.send(target, signal.SIGCONT)
            os.killpg(watchdog.pid, signal.SIGKILL)


@contextmanager
def drained(nodes: Nodes, node: Any, *, deadline_s: float) -> Generator[None]:
    """A node whose machine is about to be taken away, as a spot market's agent tells Ray.

    Ray does nothing at the deadline: whoever drains ends the machine, and so does the end of this.
    """
    drain(node.node_id, deadline_s=deadline_s)
    try:
        yield
    finally:
        nodes.remove(node)
        nodes.add()


def drain(node_id: str, *, deadline_s: float) -> None:
    """Tell Ray that a node will be preempted in `deadline_s` seconds."""
    from ray._private.worker import global_worker  # noqa: PLC0415 - private, like the whole of draining
    from ray.core.generated import autoscaler_pb2 as messages  # noqa: PLC0415 - the same

    reason: int = messages.DrainNodeReason.Value("DRAIN_NODE_REASON_PREEMPTION")  # pyright: ignore[reportAttributeAccessIssue] - no stubs
    at_ms = int((time.time() + deadline_s) * 1000)
    client: Any = global_worker
    accepted, why_not = client.gcs_client.drain_node(node_id, reason, "the spot market wants it back", at_ms)
    assert accepted, why_not


def eventually(condition: Any, within_s: float = PATIENCE_S) -> None:
    assert wait_until(condition, within_s), f"it did not come true within {within_s:g} s"
