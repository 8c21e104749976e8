"""Ray's side: an embedded Ray as it comes, default knobs, bare actors."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import ray

from experiments.bench.workload import hold, noop, wait_for_marker

ACTORS = 2


class Callee:
    """What a user without us would write."""

    def noop(self, number: int) -> int:
        """See `workload.noop`."""
        return noop(number)

    def hold(self, marker: str) -> int:
        """See `workload.hold`."""
        return hold(marker)


class Bare:
    """One embedded Ray with as many actors as our pool has active workers; each method is one measurement."""

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="rbare-")
        ray.init(address="local", include_dashboard=False, log_to_driver=False, _temp_dir=self._folder)
        remote: Any = ray.remote(Callee)
        self._actors = [remote.options(num_cpus=0).remote() for _ in range(ACTORS)]
        self._phoenix = remote.options(num_cpus=0, max_restarts=-1, max_task_retries=-1).remote()
        ray.get([actor.noop.remote(0) for actor in [*self._actors, self._phoenix]])

    def throughput(self, calls: int) -> float:
        """Pipelined calls whose results were taken, a second; the better of one actor and of all of them."""
        return max(self._pipelined(self._actors[:1], calls), self._pipelined(self._actors, calls))

    @staticmethod
    def _pipelined(actors: list[Any], calls: int) -> float:
        begun = time.perf_counter()
        ray.get([actors[number % len(actors)].noop.remote(number) for number in range(calls)])
        return calls / (time.perf_counter() - begun)

    def latency(self, calls: int) -> float:
        """Median time of one call and its result, seconds."""
        actor = self._actors[0]
        taken: list[float] = []
        for number in range(calls):
            begun = time.perf_counter()
            ray.get(actor.noop.remote(number))
            taken.append(time.perf_counter() - begun)
        return sorted(taken)[calls // 2]

    def kill(self) -> float:
        """Seconds from SIGKILL of an actor with `max_restarts=-1` to the answer of the call that it ran."""
        ray.get(self._phoenix.noop.remote(0))
        marker = str(Path(self._folder) / uuid.uuid4().hex)
        ref = self._phoenix.hold.remote(marker)
        pid = wait_for_marker(marker)
        begun = time.perf_counter()
        os.kill(pid, signal.SIGKILL)
        ray.get(ref, timeout=60)
        return time.perf_counter() - begun

    def close(self) -> None:
        """End it."""
        ray.shutdown()
        shutil.rmtree(self._folder, ignore_errors=True)
