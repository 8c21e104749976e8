"""How long each kill hurt, read from what the supervisor announces. Pure.

Two ends are measured for each kill, both from the moment of the signal:

- served: the victim's work is in other hands. For a pool that is the moment when as many workers as it is meant to have
  serve it without the victim, usually because a standby was promoted.
- replaced: the victim's successor runs and is announced. For the log writer and the supervisor both ends are one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from experiments.demo.killing import Kind
    from supervisor.status import SupervisorStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """A kill that was done.

    Attributes:
        kind: What was killed.
        actor: The victim's full name, incarnation included.
        pid: Its process.
        at: When the signal was sent, monotonic seconds.
        ended: Tasks that had ended by then.
        served_s: From the signal until its work was in other hands, seconds; None while it is not.
        replaced_s: From the signal until its successor was announced, seconds; None while it is not.
    """

    kind: Kind
    actor: str
    pid: int
    at: float
    ended: int
    served_s: float | None = None
    replaced_s: float | None = None

    @property
    def key(self) -> str:
        """`<concern>/<child>`: the victim without supervisor and incarnation."""
        return self.actor.partition("/")[2].partition("#")[0]

    @property
    def is_over(self) -> bool:
        return self.replaced_s is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The middle and the worst of some durations, seconds."""

    p50_s: float
    max_s: float


def look(kill: Kill, status: SupervisorStatus, now: float) -> Kill:
    """What is known of the kill once `status` was seen at `now`, monotonic seconds."""
    elapsed_s = now - kill.at
    if kill.served_s is None and _is_served(kill, status):
        kill = replace(kill, served_s=elapsed_s)
    if kill.replaced_s is None and _is_replaced(kill, status):
        kill = replace(kill, replaced_s=elapsed_s)
    return kill


def spread(durations_s: list[float]) -> Spread | None:
    """Median and maximum; None without any."""
    if not durations_s:
        return None
    ordered = sorted(durations_s)
    return Spread(p50_s=ordered[(len(ordered) - 1) // 2], max_s=ordered[-1])


def _is_served(kill: Kill, status: SupervisorStatus) -> bool:
    if kill.kind not in ("worker", "hung worker"):
        return _is_replaced(kill, status)
    pool = status.pools[kill.key.partition("/")[2].rpartition("-")[0]]
    active = [worker.name for worker in pool.workers if worker.role == "active"]
    return len(active) >= pool.size and kill.actor not in active


def _is_replaced(kill: Kill, status: SupervisorStatus) -> bool:
    """Names hold the incarnation, and a later one never gives way to an earlier: another name is the successor's."""
    if kill.kind == "supervisor":
        return status.leader != kill.actor
    lives = [child for child in status.tree if child.key == kill.key and child.name != kill.actor]
    return any(child.status == "running" for child in lives)
