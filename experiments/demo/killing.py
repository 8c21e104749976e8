"""Who is to be killed, and when: the demo's seeded plan, and the choice of a victim among the living. Pure.

A kill is due at a fraction of the tasks ended, not at a time: a slow machine then meets the same plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from random import Random

    from supervisor.messages import ChildView

Kind = Literal["worker", "hung worker", "log writer", "supervisor"]
KINDS: tuple[Kind, ...] = ("worker", "hung worker", "log writer", "supervisor")

TASKS_PER_WORKER_KILL = 250
WORKER_KILLS_MIN = 2
WORKER_KILLS_MAX = 8
"""Below the pool's restart intensity, so that the pool is never given up for what the demo does to it."""

FIRST_AT = 0.04
LAST_AT = 0.84
"""All kills fall while there is still work to disturb."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedKill:
    """One kill; `at` is the fraction of tasks that must have ended before it."""

    kind: Kind
    at: float


def plan_kills(tasks: int, rng: Random) -> tuple[PlannedKill, ...]:
    """The kills of a run of `tasks` tasks, earliest first, spread over the run in an order that `rng` draws."""
    workers = min(WORKER_KILLS_MAX, max(WORKER_KILLS_MIN, tasks // TASKS_PER_WORKER_KILL))
    kinds: list[Kind] = [*repeat("worker", workers), "hung worker", "log writer", "supervisor"]
    rng.shuffle(kinds)
    width = (LAST_AT - FIRST_AT) / len(kinds)
    return tuple(
        PlannedKill(kind=kind, at=FIRST_AT + width * (number + rng.random())) for number, kind in enumerate(kinds)
    )


def candidates(kind: Kind, tree: Sequence[ChildView], struck: Collection[str]) -> list[ChildView]:
    """The children that a kill of this kind may hit: those that run and serve, and were not struck before.

    The supervisor is not in its own tree, so there is never one for it.
    """
    return [
        child
        for child in tree
        if child.status == "running" and child.location is not None and child.name not in struck and _fits(kind, child)
    ]


def _fits(kind: Kind, child: ChildView) -> bool:
    if kind == "log writer":
        return child.key.startswith("event_log/")
    # A standby holds no request: killing one would prove nothing.
    return kind in ("worker", "hung worker") and child.key.startswith("worker/") and child.role == "active"
