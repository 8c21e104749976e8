"""Our side of the row about a level that eight processes of a node follow."""

from __future__ import annotations

import time
from typing import Any

import ray

from experiments.bench.row import p99
from supervisor import Supervisor

PROCESSES = 8
ROUNDS = 100
POLL_S = 0.0005
"""A process asks so often while it is waited for that it sees the change."""

_PATIENCE_S = 60.0
_FEATURE = "bench-feature"


class Follower:
    """One process that asks for a feature."""

    def __init__(self, supervisor: str) -> None:
        self._degradation = Supervisor.of_process(supervisor).degradation

    def sees(self) -> bool:
        """Whether it reads the feature."""
        return _FEATURE in self._degradation.features

    def until(self, on: bool) -> float:  # noqa: FBT001 - what it is to be
        """Ask until the feature is so; returns when that was, on the host's monotonic clock."""
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until:
            if self._degradation.enabled(_FEATURE) is on:
                return time.monotonic()
            time.sleep(POLL_S)
        raise TimeoutError("it never was")


class SharedDegradation:
    """Measurements on one embedded supervisor."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._degradation = supervisor.degradation
        self._degradation.feature(_FEATURE, lowest="full")
        remote: Any = ray.remote
        made: Any = remote(num_cpus=0, max_concurrency=2)(Follower)
        self._followers = [made.remote(supervisor.name) for _ in range(PROCESSES)]

    def change(self) -> float:
        """From the call of `set_level` until the last of eight processes reads the new level, p99, seconds."""
        until = time.monotonic() + _PATIENCE_S
        while not all(ray.get([each.sees.remote() for each in self._followers])):
            if time.monotonic() > until:
                message = f"not all processes read the features within {_PATIENCE_S:g} s"
                raise TimeoutError(message)
        taken: list[float] = []
        for number in range(ROUNDS):
            on = bool(number % 2)
            waiting = [each.until.remote(on) for each in self._followers]
            time.sleep(0.05)
            begun = time.monotonic()
            self._degradation.set_level("full" if on else "minimal", reason="benchmark")
            taken.append(max(ray.get(waiting)) - begun)
        for each in self._followers:
            ray.kill(each)
        return p99(taken)
