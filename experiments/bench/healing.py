"""Our side of the rows about healing."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any

from supervisor import Fallback, Supervisor

INCIDENTS = 500
ROUNDS = 100
STEP_S = 0.01
"""How long each of many recoveries takes."""

CALM_S = 0.1
"""A pause before each incident: what of the one before is still to be written is not in its way."""

_PATIENCE_S = 120.0
_ALL = 3
"""The coordinator and two healers."""


class HealingBench:
    """Measurements on one embedded supervisor."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._sup = supervisor
        self._sup.healer.plan("bench-*", [Fallback(_now)])
        self._sup.healer.plan("many-*", [Fallback(_slowly)])
        until = time.monotonic() + _PATIENCE_S
        while self._running() < _ALL:
            if time.monotonic() > until:
                message = f"the healers do not run within {_PATIENCE_S:g} s"
                raise TimeoutError(message)
            time.sleep(0.1)
        for number in range(10):
            self._sup.heal(f"bench-warm-{number}", _fails)

    def first_step(self) -> float:
        """From the failure of a call to its first recovery step running on a healer, p50, seconds."""
        taken: list[float] = []
        for number in range(ROUNDS):
            time.sleep(CALM_S)
            failed_at = time.monotonic()
            taken.append(self._sup.heal(f"bench-{number}", _fails) - failed_at)
        return median(taken)

    def many(self) -> float:
        """The most steps that ran at a time while 500 incidents were there at once; all of them have ended."""
        with ThreadPoolExecutor(INCIDENTS) as callers:
            spans = list(callers.map(lambda number: self._sup.heal(f"many-{number}", _fails), range(INCIDENTS)))
        edges = sorted([(begun, 1) for begun, _ in spans] + [(ended, -1) for _, ended in spans])
        running = most = 0
        for _, step in edges:
            running += step
            most = max(most, running)
        return float(most)

    def _running(self) -> int:
        tree = self._sup.status().tree
        return sum(child.key.startswith("healer/") and child.status == "running" for child in tree)


def _fails() -> Any:
    raise ConnectionError("nobody answers")


def _now() -> float:
    return time.monotonic()


def _slowly() -> tuple[float, float]:
    begun = time.monotonic()
    time.sleep(STEP_S)
    return begun, time.monotonic()
