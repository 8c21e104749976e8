"""Our side of the rows about supervised children and the supervisor itself."""

from __future__ import annotations

import os
import signal
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ray

from experiments.bench.workload import Counter
from supervisor import Supervisor

FEW, MANY = 10, 10_000
STOCK_S = 3.0
"""How long after a start the stock of warm processes is full again, seconds, and a little more."""

HOSTS = 4
"""Processes that the many small children share."""


class Operator:
    """A process beside the callers' that administers a supervisor.

    Args:
        supervisor: The supervisor's name.
    """

    def __init__(self, supervisor: str) -> None:
        self._supervisor = Supervisor.connect(supervisor)

    def take_place(self) -> None:
        """Have asked once."""
        self._supervisor.root.status()

    def kill_leader(self) -> float:
        """Seconds from SIGKILL of the leader until another one has answered that the tree runs."""
        sup = self._supervisor
        before = sup.status()
        assert before.leader_location is not None
        begun = time.perf_counter()
        os.kill(before.leader_location.process.pid, signal.SIGKILL)
        while sup.root.status().status != "running" or sup.status().incarnation == before.incarnation:
            time.sleep(0.0005)
        return time.perf_counter() - begun


class Children:
    """Measurements on one embedded supervisor."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor

    def failover(self, *, standbys: int) -> float:
        """Seconds from SIGKILL of a stateful child to the answer of the next call, every acknowledged call in it.

        Raises:
            AssertionError: A call that was acknowledged is not in the state.
        """
        name = f"counter-{uuid.uuid4().hex[:8]}"
        root = self._supervisor.root
        child: Any = root.supervise(Counter, name=name, standbys=standbys, checkpoint="each_call")
        try:
            acknowledged = [child.add.remote().result(timeout=60) for _ in range(FEW)][-1]
            pid = child.pid.remote().result(timeout=60)
            self._settle(lambda: len(self._view(name).standbys) == standbys)
            time.sleep(STOCK_S)
            begun = time.perf_counter()
            os.kill(pid, signal.SIGKILL)
            after = child.add.remote().result(timeout=60)
            taken = time.perf_counter() - begun
            assert after == acknowledged + 1, f"{acknowledged} calls were acknowledged, {after - 1} are in the state"
            self._settle(lambda: self._view(name).status == "running")
            return taken
        finally:
            root.terminate(name)
            root.delete(name)

    def takeover(self) -> float:
        """Seconds from SIGKILL of the supervisor's leader until its successor answers a question about the tree.

        The question comes from an operator's process. That of the 10,000 calls takes seconds to hear all its answers,
        and would be as slow to hear this one.

        Raises:
            Exception: Any of 10,000 calls that were in flight failed.
        """
        sup = self._supervisor
        child: Any = sup.root.supervise(Counter, name=f"caller-{uuid.uuid4().hex[:8]}")
        operator: Any = ray.remote(num_cpus=0)(Operator).remote(sup.name)
        self._settle(lambda: sup.status().standby is not None)
        ray.get(operator.take_place.remote(), timeout=60)
        calls = [child.add.remote() for _ in range(MANY)]
        taken: float = ray.get(operator.kill_leader.remote(), timeout=120)
        counts = [call.result(timeout=120) for call in calls]
        assert counts == list(range(1, MANY + 1)), "a call was lost, doubled or out of order"
        ray.kill(operator)
        return taken

    def cpu(self, *, children: int, seconds: float) -> float:
        """The leader's processor time per child, as a part of one core, at a heartbeat of 1 s."""
        group = self._supervisor.group(f"many-{uuid.uuid4().hex[:8]}", intensity=10)
        for number in range(children):
            group.supervise(Counter, name=f"c{number}", share_process=f"p{number % HOSTS}")
        time.sleep(2.0)
        where = self._supervisor.status().leader_location
        assert where is not None
        begun, used = time.perf_counter(), _cpu_s(where.process.pid)
        time.sleep(seconds)
        share = (_cpu_s(where.process.pid) - used) / (time.perf_counter() - begun)
        root = self._supervisor.root
        root.terminate(group.path)
        root.delete(group.path)
        return share / children

    def _view(self, name: str) -> Any:
        return next(child for child in self._supervisor.status().tree if child.key == f"child/{name}")

    @staticmethod
    def _settle(condition: Callable[[], bool]) -> None:
        until = time.perf_counter() + 60
        while not condition():
            if time.perf_counter() > until:
                message = "the tree did not become whole again within 60 s; see `supervisor status`"
                raise TimeoutError(message)
            time.sleep(0.02)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
