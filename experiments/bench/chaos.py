"""What chaos costs and takes, without Ray: the checker's time and memory, a fault point that is off, the simulation."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from actors.runtime import fault_points
from experiments.bench.chaos_simulation import ChaosSimulation
from experiments.checker import Effect, Ended, Fact, HistoryChecker, Submitted

_CHUNK = 10_000
_CALLS = 1_000_000
_SIMULATED_MIN_LEAST = 200.0


def attempts_checked(attempts: int) -> tuple[float, float]:
    """Check a history in a process of its own; seconds for taking it in and judging it, and that process's MiB."""
    command = [sys.executable, "-P", "-m", "experiments.bench.chaos", str(attempts)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    took_s, memory_mb = json.loads(done.stdout)
    return float(took_s), float(memory_mb)


def history(attempts: int) -> Iterator[list[Fact]]:
    """In chunks: each key submitted, its effect seen, and ended."""
    chunk: list[Fact] = []
    for number in range(attempts):
        key = f"order-{number:012d}"
        chunk += [Submitted(key), Effect(key, f"receipt-{number}"), Ended(key, ok=True, token=f"receipt-{number}")]
        if len(chunk) >= _CHUNK:
            yield chunk
            chunk = []
    yield chunk


def check_here(attempts: int) -> tuple[float, float]:
    """The same in this process; seconds of the processor: it is one thread that waits for nothing."""
    checker = HistoryChecker()
    took_s = 0.0
    for chunk in history(attempts):
        begun = time.process_time()
        checker.take(chunk)
        took_s += time.process_time() - begun
    begun = time.process_time()
    found = checker.judge()
    took_s += time.process_time() - begun
    if not found.ok or found.submitted != attempts:
        raise RuntimeError(f"a clean history was found unclean: {found.problems()}")
    return took_s, _peak_mb()


def _peak_mb() -> float:
    """The most memory this process ever had, MiB; `getrusage` would tell that of whoever started it, if it was more."""
    (peak,) = (line for line in Path("/proc/self/status").read_text("ascii").splitlines() if line.startswith("VmHWM:"))
    return int(peak.split()[1]) / 1024


def fault_point_s() -> float:
    """What a point that is off adds to its caller, seconds: a loop with it against the same loop without."""

    def without() -> None:
        for _ in range(_CALLS):
            pass

    def with_point() -> None:
        for _ in range(_CALLS):
            if fault_points.ON:
                raise RuntimeError("a fault is on in a benchmark's process")

    def took_s(loop: object) -> float:
        begun = time.perf_counter()
        assert callable(loop)
        loop()
        return time.perf_counter() - begun

    bare_s = min(took_s(without) for _ in range(5))
    return max(0.0, min(took_s(with_point) for _ in range(5)) - bare_s) / _CALLS


def minutes_a_minute(seed: int) -> float:
    """Cluster-minutes that the pure machines go through in a minute of this process."""
    begun, simulated_s, number = time.process_time(), 0.0, 0
    while simulated_s < _SIMULATED_MIN_LEAST * 60:
        simulation = ChaosSimulation.seeded(seed * 1_000_003 + number)
        simulated_s += simulation.run()
        number += 1
    return simulated_s / (time.process_time() - begun)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(check_here(int(sys.argv[1]))))
