"""What a process has to tell one owner, until it is sent. Pure and bounded.

Whatever may change something goes at once, with the successes before it. Reports of nothing but successes wait for
company, the longer the more breakers report: so a process sends an owner at most `REPORTS_PER_S`, however many breakers
it uses, and at most a few calls a second. What one breaker is told keeps its order; several have none among each other.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from actors.breaker import messages as m
from actors.breaker.outcome import SUCCESS
from actors.breaker.reports import SAMPLES_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable

REPORTS_PER_S = 100
CALM_S_MIN = 0.5
CALM_S_MAX = 3.0
EVENTS_MAX = 20_000

Events = list[tuple[str, m.Event]]


class Outbox:
    """One owner's."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[m.Event]] = {}
        self._urgent: dict[str, None] = {}
        self._since: float | None = None
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def is_urgent(self) -> bool:
        """Whether something is to be sent at once."""
        return bool(self._urgent)

    def add(self, name: str, events: Iterable[m.Event], now: float) -> Events:
        """These are to be told; returns those that are not, because too much is waiting: the oldest of this breaker."""
        waiting = self._waiting.setdefault(name, [])
        self._since = now if self._since is None else self._since
        for event in events:
            merged = _merged(waiting[-1], event) if waiting else None
            if merged is not None:
                waiting[-1] = merged
            else:
                waiting.append(event)
                self._count += 1
            if not is_calm(event):
                self._urgent[name] = None
        untold: Events = []
        while self._count > EVENTS_MAX and waiting:
            untold.append((name, waiting.pop(0)))
            self._count -= 1
        return untold

    def hurry(self, name: str) -> None:
        """Somebody wants to see what this breaker's calls came to: what waits is to be sent at once."""
        if name in self._waiting:
            self._urgent[name] = None

    def due_at(self) -> float | None:
        """When `take` has something to give, monotonic seconds, or None."""
        if self._urgent:
            return float("-inf")
        if self._since is None:
            return None
        return self._since + self._patience_s()

    def _patience_s(self) -> float:
        return min(CALM_S_MAX, max(CALM_S_MIN, len(self._waiting) / REPORTS_PER_S))

    def take(self, now: float) -> Events:
        """What is to be sent now, in order; it is then taken as sent."""
        due_at = self.due_at()
        if due_at is None or due_at > now:
            return []
        calm_too = self._since is not None and self._since + self._patience_s() <= now
        return self._take(list(self._waiting) if calm_too else list(self._urgent))

    def take_urgent(self) -> Events:
        """What is to be sent at once, and nothing that could wait."""
        return self._take(list(self._urgent))

    def _take(self, names: list[str]) -> Events:
        taken = [(name, event) for name in names for event in self._waiting.pop(name)]
        self._urgent.clear()
        self._count -= len(taken)
        if not self._waiting:
            self._since = None
        return taken

    def drain(self) -> Events:
        """Everything, as nobody can be told any more."""
        left = [(name, event) for name, events in self._waiting.items() for event in events]
        self._waiting.clear()
        self._urgent.clear()
        self._since, self._count = None, 0
        return left


def is_calm(event: m.Event) -> bool:
    """Whether it tells of nothing but successes, and refusals by what is open already."""
    return isinstance(event, m.OutcomesReported) and event.outcomes.count(SUCCESS) == len(event.outcomes)


def _merged(before: m.Event, after: m.Event) -> m.OutcomesReported | None:
    """Two reports as one, if they are of one reporter and generation."""
    if not isinstance(before, m.OutcomesReported) or not isinstance(after, m.OutcomesReported):
        return None
    if (before.reporter, before.generation) != (after.reporter, after.generation):
        return None
    return replace(
        after,
        outcomes=before.outcomes + after.outcomes,
        durations=before.durations + after.durations,
        refused=before.refused + after.refused,
        neutral=before.neutral + after.neutral,
        samples=(before.samples + after.samples)[:SAMPLES_MAX],
    )
