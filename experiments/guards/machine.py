"""The guards of one run: asked all along, and one that is out, stale or silent stops it. Pure.

    due --asked--> waiting --in its tolerance--> due again after every_s
                      |  |
                      |  +-- out of it, `times` in a row --> stop
                      +-- no value for stale_s, or one that cannot be judged --> stop

A guard that says nothing is no guard: what it was to see may be going on. So the age of the last good look counts, not
whether anybody failed to answer; before the first look it counts from the start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.model.safety import Guard
    from experiments.model.tolerances import Tolerance


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardRead:
    """A guard's probe gave a value.

    Attributes:
        guard: Which.
        value: What it gave.
        age_s: How old the value was when it came, seconds.
    """

    guard: str
    value: object
    age_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardFailed:
    """A guard's probe gave none."""

    guard: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed:
    """Nothing but time."""


Event = GuardRead | GuardFailed | TimePassed


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadGuard:
    """Ask a guard's probe; do not wait for its answer."""

    guard: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRun:
    """End the run, and undo what is on."""

    why: str


Command = ReadGuard | StopRun


@dataclass(slots=True)
class _Standing:
    guard: Guard
    asked_at: float | None
    due_at: float
    good_at: float
    out: int = 0
    failure: str = ""


class GuardsMachine:
    """All guards of a run.

    Args:
        guards: As the experiment has them.
        now: When it begins, monotonic seconds.
    """

    def __init__(self, guards: Sequence[Guard], *, now: float) -> None:
        self._standings = {guard.name: _Standing(guard, None, now, now) for guard in guards}
        self._now = now
        self._stopped = False

    def handle(self, event: Event, now: float) -> list[Command]:
        """What follows from `event` at `now`, monotonic seconds. It stops a run once."""
        self._now = max(self._now, now)
        if self._stopped:
            return []
        why = self._take(event) or self._stale()
        if why:
            self._stopped = True
            return [StopRun(why=why)]
        return self._ask()

    def next_timer(self) -> float | None:
        """When `TimePassed` is due, monotonic seconds, or None."""
        if self._stopped:
            return None
        dues = [each.due_at for each in self._standings.values() if each.asked_at is None]
        return min([*dues, *(each.good_at + each.guard.stale_s for each in self._standings.values())], default=None)

    def _take(self, event: Event) -> str:
        match event:
            case GuardRead():
                standing = self._standings.get(event.guard)
                return "" if standing is None else self._judge(standing, event)
            case GuardFailed():
                standing = self._standings.get(event.guard)
                if standing is not None:
                    self._answered(standing)
                    standing.failure = event.reason
                return ""
            case TimePassed():
                return ""

    def _judge(self, standing: _Standing, event: GuardRead) -> str:
        guard = standing.guard
        self._answered(standing)
        judged = cast("Tolerance", guard.tolerance).judge(event.value)
        if judged.held is None:
            return f"guard {guard.name} cannot be read: {judged.why}"
        if judged.held:
            standing.out, standing.failure = 0, ""
            standing.good_at = max(standing.good_at, self._now - event.age_s)
            return ""
        standing.out += 1
        standing.good_at = max(standing.good_at, self._now - event.age_s)
        return f"guard {guard.name}: {judged.why}" if standing.out >= guard.times else ""

    def _answered(self, standing: _Standing) -> None:
        asked_at = self._now if standing.asked_at is None else standing.asked_at
        standing.asked_at = None
        standing.due_at = max(self._now, asked_at + standing.guard.every_s)

    def _stale(self) -> str:
        for name, standing in self._standings.items():
            # Compared as `next_timer` counts: rounded another way, a shell would be woken for nothing, again and again.
            if self._now >= standing.good_at + standing.guard.stale_s:
                age_s = self._now - standing.good_at
                last = f"; last: {standing.failure}" if standing.failure else ""
                limit_s = standing.guard.stale_s
                return f"guard {name} has not been read for {age_s:.3g} s, and {limit_s:g} is its limit{last}"
        return ""

    def _ask(self) -> list[Command]:
        found: list[Command] = []
        for name, standing in self._standings.items():
            if standing.asked_at is None and standing.due_at <= self._now:
                standing.asked_at = self._now
                found.append(ReadGuard(guard=name))
        return found
