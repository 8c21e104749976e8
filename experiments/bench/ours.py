"""Our side: an embedded supervisor as it comes, with a policy, retries and the event log on."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
import uuid
from concurrent.futures import wait
from pathlib import Path

from experiments.bench.children import Children
from experiments.bench.workload import hold, noop, wait_for_marker
from supervisor import Policy, Retry, Supervisor

HANG_TIMEOUT_S = 1.0
POOL = 2

_POLICY = Policy(timeout_s=30.0, retry=Retry(attempts=4))


class Ours:
    """One embedded supervisor; each method is one measurement."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="rsup-bench-"))
        pool = {"size": POOL, "standbys": 1, "heartbeat_s": HANG_TIMEOUT_S / 4, "hang_timeout_s": HANG_TIMEOUT_S}
        config = {"pools": {"default": pool}, "log": {"path": str(self._folder / "log.duckdb")}}
        self._supervisor = Supervisor.start(config)
        self._submitter = self._supervisor.options(policy=_POLICY, on_full="wait")

    def throughput(self, tasks: int) -> float:
        """Submitted tasks whose results were taken, a second."""
        submit = self._submitter.submit
        begun = time.perf_counter()
        futures = [submit(noop, number) for number in range(tasks)]
        for future in futures:
            future.result()
        return tasks / (time.perf_counter() - begun)

    def latency(self, calls: int) -> float:
        """Median time from a submit to its result, seconds."""
        submit = self._submitter.submit
        taken: list[float] = []
        for number in range(calls):
            begun = time.perf_counter()
            submit(noop, number).result()
            taken.append(time.perf_counter() - begun)
        return sorted(taken)[calls // 2]

    def kill(self) -> float:
        """Seconds from SIGKILL of a pool member to the answer of the task that it ran."""
        return self._lose_worker(signal.SIGKILL)

    def hang(self) -> float:
        """Seconds from SIGSTOP of a pool member to the answer of the task that it ran."""
        return self._lose_worker(signal.SIGSTOP)

    def failover(self, standbys: int) -> float:
        """See `Children.failover`."""
        return Children(self._supervisor).failover(standbys=standbys)

    def takeover(self) -> float:
        """See `Children.takeover`."""
        return Children(self._supervisor).takeover()

    def cpu(self, children: int, seconds: float) -> float:
        """See `Children.cpu`."""
        return Children(self._supervisor).cpu(children=children, seconds=seconds)

    def breakers(self, row: str, **arguments: float) -> float:
        """One of the measurements of `SharedBreakers`, in processes of its own."""
        from experiments.bench.breaker_cluster import SharedBreakers  # noqa: PLC0415 - only these rows' imports

        return getattr(SharedBreakers(self._supervisor), row)(**arguments)

    def health(self, row: str) -> float:
        """One of the measurements of `HealthBench`."""
        from experiments.bench.health import HealthBench  # noqa: PLC0415 - the same

        bench = HealthBench(self._supervisor, self._folder)
        return bench.dead() if row == "dead" else bench.watch(seconds=20.0)[row]

    def degradation(self, row: str, **arguments: float) -> float:
        """One of the measurements of `SharedDegradation`, in processes of its own."""
        from experiments.bench.degradation_cluster import SharedDegradation  # noqa: PLC0415 - the same

        return getattr(SharedDegradation(self._supervisor), row)(**arguments)

    def healing(self, row: str) -> float:
        """One of the measurements of `HealingBench`."""
        from experiments.bench.healing import HealingBench  # noqa: PLC0415 - only these rows' imports

        return getattr(HealingBench(self._supervisor), row)()

    def chaos(self, row: str) -> float:
        """One of the measurements of `ChaosRuns`."""
        from experiments.bench.chaos_runs import ChaosRuns  # noqa: PLC0415 - only these rows' imports

        return getattr(ChaosRuns(self._supervisor), row)()

    def _lose_worker(self, how: signal.Signals) -> float:
        self._settle()
        marker = str(self._folder / uuid.uuid4().hex)
        future = self._submitter.submit(hold, marker)
        pid = wait_for_marker(marker)
        begun = time.perf_counter()
        os.kill(pid, how)
        future.result(timeout=60)
        return time.perf_counter() - begun

    def _settle(self) -> None:
        """Until the pool is whole again, its standby included."""
        until = time.perf_counter() + 60
        while len(self._supervisor.status().pools["default"].workers) < POOL + 1:
            if time.perf_counter() > until:
                message = "the pool did not become whole again within 60 s; see `supervisor status`"
                raise TimeoutError(message)
            time.sleep(0.02)

    def memory(self, tasks: int) -> dict[str, float]:
        """Resident memory of the caller, the largest worker and the log writer after `tasks` more tasks, MiB."""
        submit = self._submitter.submit
        for start in range(0, tasks, 5000):
            wait([submit(noop, number) for number in range(start, min(tasks, start + 5000))])
        self._supervisor.events.query("select 1")
        where = {child.key: child.location for child in self._supervisor.status().tree if child.location is not None}
        workers = [_resident_mb(place.process.pid) for key, place in where.items() if key.startswith("worker/")]
        return {
            "caller": _resident_mb(os.getpid()),
            "worker": max(workers),
            "log writer": _resident_mb(where["event_log/writer"].process.pid),
        }

    def close(self) -> None:
        """End it."""
        self._supervisor.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def _resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
