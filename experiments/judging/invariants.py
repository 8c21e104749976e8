"""What must hold whatever is injected: breakers change as they may, restarts keep within their intensity. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from supervisor.supervision.intensity import record_restart

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_OVERRIDES = frozenset(("disabled", "forced_open", "shadow"))
_STEPS: Mapping[str, frozenset[str]] = {
    "closed": frozenset(("open",)),
    "open": frozenset(("half_open", "closed")),
    "half_open": frozenset(("open", "closed", "ramping")),
    "ramping": frozenset(("open", "closed")),
}
"""Without anybody's intervention; open to closed is a reset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerStep:
    """A transition as the log has it."""

    event_id: str
    breaker: str
    before: str
    after: str
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """A restart that a supervisor decided."""

    event_id: str
    group: str
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Intensity:
    """What a group allows."""

    restarts: int
    period_s: float


def illegal_steps(steps: Iterable[BreakerStep]) -> tuple[str, ...]:
    """Transitions that a breaker must not make, in words; steps come in the order of the log."""
    found: list[str] = []
    latest: dict[str, BreakerStep] = {}
    for step in steps:
        if step.before == step.after or not _may(step.before, step.after):
            found.append(f"breaker {step.breaker} went from {step.before} to {step.after} ({step.event_id})")
        former = latest.get(step.breaker)
        if former is not None and step.generation <= former.generation:
            found.append(
                f"breaker {step.breaker} changed in generation {step.generation} ({step.event_id}) after generation "
                f"{former.generation} ({former.event_id})"
            )
        elif former is not None and step.generation == former.generation + 1 and step.before != former.after:
            found.append(
                f"breaker {step.breaker} left {step.before} ({step.event_id}) while it was {former.after} "
                f"({former.event_id})"
            )
        latest[step.breaker] = step
    return tuple(found)


def _may(before: str, after: str) -> bool:
    return before in _OVERRIDES or after in _OVERRIDES or after in _STEPS.get(before, ())


def too_many_restarts(
    restarts: Iterable[Restart],
    allowed: Mapping[str, Intensity],
    *,
    given_up: Mapping[str, Iterable[float]] | None = None,
) -> tuple[str, ...]:
    """Groups that were restarted more often than they allow, in words; of a group that is not known nothing is said.

    Args:
        restarts: What supervisors decided.
        allowed: What each group bears.
        given_up: When each group was given up: what its parent made of it counts anew.
    """
    ends = {group: sorted(times) for group, times in (given_up or {}).items()}
    found: dict[str, str] = {}
    inside: dict[str, tuple[float, ...]] = defaultdict(tuple)
    for restart in sorted(restarts, key=lambda each: each.at_s):
        bound = allowed.get(restart.group)
        if bound is None:
            continue
        last_end = max((at_s for at_s in ends.get(restart.group, ()) if at_s <= restart.at_s), default=float("-inf"))
        inside[restart.group] = tuple(at_s for at_s in inside[restart.group] if at_s >= last_end)
        inside[restart.group], holds = record_restart(
            inside[restart.group], now=restart.at_s, intensity=bound.restarts, period_s=bound.period_s
        )
        if not holds:
            found.setdefault(
                restart.group,
                f"group {restart.group} was restarted {len(inside[restart.group])} times within {bound.period_s:g} s, "
                f"and its intensity is {bound.restarts} ({restart.event_id})",
            )
    return tuple(found.values())


def outside(selected: Iterable[str], before: Mapping[str, int], after: Mapping[str, int]) -> tuple[str, ...]:
    """Targets that were hit although nobody selected them, in words: their life is another one than before.

    Args:
        selected: Whom the plan names.
        before: The incarnation of each target when the run began.
        after: The same when it ended, without those that died of what the plan did to others.
    """
    meant = set(selected)
    return tuple(
        f"{name} was life {life} before and is {after[name] if name in after else 'gone'} now, and was not selected"
        for name, life in sorted(before.items())
        if name not in meant and after.get(name) != life
    )
