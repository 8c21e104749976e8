"""Our side of the rows about breakers that eight processes of a node share."""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path
from typing import Any

import ray

from actors.breaker.errors import CircuitOpenError
from actors.breaker.handle import BreakerHandle
from actors.breaker.settings import BreakerSettings
from experiments.bench.row import p99
from experiments.bench.workload import noop
from supervisor import Supervisor

PROCESSES = 8
ROUNDS = 100
POLL_S = 0.0005
"""A process calls so often while it is waited for that it refuses."""

STILL_S = 0.1
"""A process keeps its answer for so long: Ray's messages would take the processors from those that still look."""

_PATIENCE_S = 120.0
_OUTCOMES_PER_S = 50_000
_BREAKERS = 1_000


class Caller:
    """One process that uses breakers."""

    def __init__(self, supervisor: str) -> None:
        self._sup = Supervisor.of_process(supervisor)
        self._handles: list[BreakerHandle] = []

    def use(self, names: list[str], settings: BreakerSettings) -> int:
        """Use these breakers; returns the pid once the owners of all are heard."""
        self._handles = [self._sup.breaker(name, settings) for name in names]
        for handle in self._handles:
            handle.call(noop, 0)
        return os.getpid()

    def hears(self) -> bool:
        """Whether all are closed, and their owners are heard."""
        return all(handle.state == "closed" and handle.owner_heard for handle in self._handles)

    def fail(self) -> float:
        """Fail a call; returns when it ended, on the host's monotonic clock."""
        time.sleep(STILL_S)
        try:
            self._handles[0].call(_broken, 0)
        except ConnectionError:
            pass
        ended = time.monotonic()
        time.sleep(STILL_S)
        return ended

    def until_refused(self) -> float:
        """Call until a call is refused; returns when that was, on the host's monotonic clock."""
        handle, until = self._handles[0], time.monotonic() + _PATIENCE_S
        while time.monotonic() < until:
            try:
                handle.call(noop, 0)
            except CircuitOpenError:
                refused = time.monotonic()
                time.sleep(STILL_S)
                return refused
            time.sleep(POLL_S)
        raise TimeoutError("it was never refused")

    def work(self, per_s: float, seconds: float) -> float:
        """Make so many calls a second through all breakers in turn; returns how many it made a second."""
        begun = time.monotonic()
        made = 0
        while (gone := time.monotonic() - begun) < seconds:
            while made < gone * per_s:
                self._handles[made % len(self._handles)].call(noop, 0)
                made += 1
            time.sleep(0.002)
        return made / seconds


class SharedBreakers:
    """Measurements on one embedded supervisor."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        remote: Any = ray.remote
        made: Any = remote(num_cpus=0, max_concurrency=2)(Caller)
        self._callers = [made.remote(supervisor.name) for _ in range(PROCESSES)]

    def trip(self) -> float:
        """From the end of the failure that trips it until the last of eight processes refuses, p99, seconds."""
        return self._rounds(lambda _: ray.get(self._callers[0].fail.remote()))

    def forced(self) -> float:
        """From the call of `force_open` until the last of eight processes refuses, p99, seconds."""

        def force(handle: BreakerHandle) -> float:
            begun = time.monotonic()
            handle.force_open(reason="benchmark")
            return begun

        return self._rounds(force)

    def _rounds(self, act: Any) -> float:
        name = f"bench-{uuid.uuid4().hex[:8]}"
        settings = BreakerSettings(consecutive_failures=1, open_s=60.0)
        self._use([name], settings)
        handle = self._supervisor.breaker(name)
        taken: list[float] = []
        for _ in range(ROUNDS):
            waiting = [caller.until_refused.remote() for caller in self._callers]
            time.sleep(0.05)
            begun = act(handle)
            taken.append(max(ray.get(waiting)) - begun)
            handle.reset(reason="benchmark")
            self._settle()
        self._end()
        return p99(taken)

    def cpu(self, seconds: float) -> float:
        """CPU of all owners of 1,000 breakers while eight processes make 50,000 calls a second, cores.

        Each round uses the same thousand: new ones would burden the next round, and a cluster allows 4,096.
        """
        self._use([f"bench-cpu-{number}" for number in range(_BREAKERS)], BreakerSettings())
        share = _OUTCOMES_PER_S / PROCESSES
        ray.get([caller.work.remote(share, 3.0) for caller in self._callers])
        pids = self._owners()
        before = sum(map(cpu_s, pids))
        made = sum(ray.get([caller.work.remote(share, seconds) for caller in self._callers]))
        used = sum(map(cpu_s, pids)) - before
        self._end()
        return used / seconds * (_OUTCOMES_PER_S / made)

    def _owners(self) -> list[int]:
        tree = self._supervisor.status().tree
        return [child.location.process.pid for child in tree if child.key.startswith("breaker/") and child.location]

    def _use(self, names: list[str], settings: BreakerSettings) -> None:
        ray.get([caller.use.remote(names, settings) for caller in self._callers])
        self._settle()

    def _settle(self) -> None:
        until = time.monotonic() + _PATIENCE_S
        while not all(ray.get([caller.hears.remote() for caller in self._callers])):
            if time.monotonic() > until:
                message = f"not all processes heard their breakers' owners within {_PATIENCE_S:g} s"
                raise TimeoutError(message)
            time.sleep(0.01)

    def _end(self) -> None:
        for caller in self._callers:
            ray.kill(caller)


def cpu_s(pid: int) -> float:
    """The processor time that a process has used, seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _broken(_: int) -> int:
    raise ConnectionError("nobody answers")
