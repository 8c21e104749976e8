"""Our side of the rows about health: a monitor of many, and one component that hangs."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections import defaultdict
from pathlib import Path
from typing import Any

from experiments.bench.breaker_cluster import cpu_s
from experiments.bench.row import p99
from supervisor import Supervisor

PROBES = 1_000
INTERVAL_S = 1.0
FAILURES, BEAT_S, TIMEOUT_S = 3, 0.2, 0.5
ROUNDS = 20
DEAD_LIMIT_S = FAILURES * BEAT_S + TIMEOUT_S

_PATIENCE_S = 120.0
_STARTS: dict[int, list[float]] = defaultdict(list)
"""When each probe began, in the monitor's process."""


class Beat:
    """Notes when it begins, and is well."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __call__(self) -> None:
        _STARTS[self._number].append(time.monotonic())


class Lateness:
    """Says how late the probes began since it was asked last, p99, seconds: against the beat that each keeps."""

    def __call__(self) -> tuple[bool, str]:
        late: list[float] = []
        for starts in _STARTS.values():
            beats = [at - number * INTERVAL_S for number, at in enumerate(starts)]  # none is left out unless it hangs
            late += [beat - min(beats) for beat in beats]
        _STARTS.clear()
        return True, json.dumps({"starts": len(late), "p99": p99(late) if late else 0.0})


class Hangs:
    """Hangs while a file is there."""

    def __init__(self, marker: str) -> None:
        self._marker = marker

    def __call__(self) -> None:
        while os.path.exists(self._marker):
            time.sleep(0.01)


class HealthBench:
    """Measurements on one embedded supervisor."""

    def __init__(self, supervisor: Supervisor, folder: Path) -> None:
        self._supervisor = supervisor
        self._health = supervisor.health
        self._folder = folder

    def watch(self, seconds: float) -> dict[str, float]:
        """CPU of a monitor of 1,000 probes, cores; and how late they begin, p99, seconds."""
        with self._health.registering() as together:
            for number in range(PROBES):
                together.register(f"c{number}", Beat(number), interval_s=INTERVAL_S, timeout_s=0.5)
        self._until(lambda: self._score() == 100.0)  # noqa: PLR2004 - all are well
        time.sleep(2 * INTERVAL_S)
        self._lateness()
        before = cpu_s(self._pid())
        time.sleep(seconds)
        used = cpu_s(self._pid()) - before
        late = self._lateness()
        if late["starts"] < 0.95 * PROBES * seconds / INTERVAL_S:
            raise RuntimeError(f"only {late['starts']} checks began in {seconds:g} s")
        return {"cpu": used / seconds, "jitter": late["p99"]}

    def dead(self) -> float:
        """From the moment that a component hangs until this process hears of it, the worst of 20, seconds."""
        taken: list[float] = []
        for number in range(ROUNDS):  # each with a component of its own: one that changes all the time is flapping
            name, marker = f"hangs-{number}", self._folder / uuid.uuid4().hex
            self._health.register(name, Hangs(str(marker)), interval_s=BEAT_S, timeout_s=TIMEOUT_S, failures=FAILURES)
            self._until(lambda name=name: self._state(name) == "healthy")
            with self._health.subscribe() as changes:
                begun = time.monotonic()
                marker.touch()
                while (change := changes.next(_PATIENCE_S)) is not None and change.after != "unhealthy":
                    pass
                taken.append(time.monotonic() - begun)
            marker.unlink()
            self._health.unregister(name)
        return max(taken)

    def _lateness(self) -> dict[str, Any]:
        """Asked by a probe, because it is known in the monitor's process alone."""
        self._health.register("lateness", Lateness(), kind="startup", interval_s=0.05, timeout_s=30.0)
        self._until(lambda: len(self._health.history("lateness")) > 0)
        (check, *_) = self._health.history("lateness")
        self._health.unregister("lateness")
        return json.loads(check.detail)

    def _pid(self) -> int:
        tree = self._supervisor.status().tree
        (where,) = [child.location for child in tree if child.key == "health/main"]
        assert where is not None
        return where.process.pid

    def _score(self) -> float | None:
        standing = self._health.standing()
        return None if standing is None else standing.score

    def _state(self, name: str) -> str:
        standing = self._health.standing()
        return "unknown" if standing is None else standing.components.get(name, "unknown")

    @staticmethod
    def _until(condition: Any) -> None:
        until = time.monotonic() + _PATIENCE_S
        while not condition():
            if time.monotonic() > until:
                raise TimeoutError(f"it did not come true within {_PATIENCE_S:g} s")
            time.sleep(0.01)
