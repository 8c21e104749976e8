"""One component: its probes, its state, and what is remembered of it. Pure.

    unknown <--> starting --> healthy <--> unready <--> unhealthy        by what its probes say (see `score.state_of`)
    flapping: held at the worst of them until it is calm

Availability follows what the probes say, also while it flaps.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from actors.health.availability import Availability
from actors.health.flapping import Flapping
from actors.health.score import BADNESS, ComponentState, own_score, state_of

if TYPE_CHECKING:
    from actors.health.messages import MonitorResumed
    from actors.health.probe import Probe
    from actors.health.report import Check
    from actors.health.settings import MonitorSettings, ProbeKind, ProbeSettings

ProbeKey = tuple[str, "ProbeKind", str]
"""Component, kind, place."""

_UP: dict[ComponentState, bool | None] = {
    "unknown": None,
    "starting": None,
    "healthy": True,
    "unready": False,
    "unhealthy": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A change that is to be told.

    Attributes:
        before: What was told until now.
        after: What is told from now on.
        silent_s: How long the trouble has lasted, seconds.
    """

    before: ComponentState
    after: ComponentState
    silent_s: float


class Component:
    """One component.

    Attributes:
        registrations: What was registered for it, by kind.
        probes: Its probes, by kind and place.
        state: What is told of it.
        since: Since when, monotonic seconds.
        flapping: Whether it changes all the time.
        availability: How much of the time it was up.
        detail: What its latest bad check said.
        silent_s: How long the trouble had lasted when its latest change was told, seconds.
    """

    def __init__(self, settings: MonitorSettings, *, now: float, state: ComponentState = "unknown") -> None:
        self.registrations: dict[ProbeKind, ProbeSettings] = {}
        self.probes: dict[tuple[ProbeKind, str], Probe] = {}
        self.state: ComponentState = state
        self.since = now
        self.flapping = Flapping(settings)
        self.availability = Availability(settings.windows_s, now=now)
        self.detail = ""
        self.silent_s = 0.0
        self._seen: ComponentState = state
        self._known: ComponentState = state
        self._bad_since: float | None = None
        self._history_s = settings.history_s
        self._checks: deque[tuple[float, Check]] = deque(maxlen=settings.history_checks)
        self.scores: deque[tuple[float, float]] = deque(maxlen=settings.trend_points)

    @property
    def weight(self) -> float:
        return max(each.weight for each in self.registrations.values())

    @property
    def critical(self) -> bool:
        return any(each.critical for each in self.registrations.values())

    @property
    def depends_on(self) -> tuple[str, ...]:
        """All that its probes name, each once."""
        return tuple(dict.fromkeys(name for each in self.registrations.values() for name in each.depends_on))

    @property
    def last(self) -> Check | None:
        """Its latest check."""
        return self._checks[-1][1] if self._checks else None

    def own_score(self) -> float | None:
        """Its score by its own probes."""
        return own_score(self.probes.values(), flapping=self.flapping.active)

    def is_wanted(self, probe: Probe) -> bool:
        """Whether a probe is to run now: startup until it passes at that place, the others from then on."""
        startup = self.probes.get(("startup", probe.place)) or self.probes.get(("startup", ""))
        if probe.settings.kind == "startup":
            return probe.standing != "passing"
        return startup is None or startup.standing == "passing"

    def remember(self, check: Check, now: float) -> None:
        """A check ended."""
        self._checks.append((now, check))
        if check.counted:
            is_bad = check.outcome != "passed"
            self._bad_since = (now if self._bad_since is None else self._bad_since) if is_bad else None
            self.detail = check.detail if is_bad else ""
        self._forget(now)

    def checks(self, now: float, *, since_s: float | None = None) -> tuple[Check, ...]:
        """Those remembered of the last `since_s` seconds, the latest last, with how long ago they ended."""
        self._forget(now)
        oldest = float("-inf") if since_s is None else now - since_s
        return tuple(replace(check, ago_s=now - at) for at, check in self._checks if at >= oldest)

    def turn(self, now: float) -> Turn | None:
        """Judge its probes; returns the change that is to be told, if there is one."""
        seen = state_of(self.probes.values())
        was_flapping = self.flapping.active
        if seen != self._seen:
            self._seen = seen
            self.availability.turn(_UP[seen], now)
            self._note_turn(seen, now)
        self.flapping.settle(now)
        after = max(seen, self.state, key=BADNESS.__getitem__) if self.flapping.active else seen
        if after == self.state and self.flapping.active == was_flapping:
            return None
        before, self.state = self.state, after
        if before != after:
            self.since = now
        self.silent_s = 0.0 if self._bad_since is None else now - self._bad_since
        return Turn(before=before, after=after, silent_s=self.silent_s)

    def _note_turn(self, seen: ComponentState, now: float) -> None:
        """Between states in which something is known: one that is new, or not looked at, has not changed."""
        if _UP[seen] is None:
            return
        if _UP[self._known] is not None and seen != self._known:
            self.flapping.change(now)
        self._known = seen

    def resume(self, event: MonitorResumed, name: str, now: float) -> None:
        """Go on with what an earlier life has kept of it."""
        availability, flapping = event.kept.availability.get(name), event.kept.flapping.get(name)
        if availability is not None:
            self.availability.resume(availability, now=now, kept_ago_s=event.kept_ago_s, away_s=event.away_s)
        else:
            self.availability.turn(_UP[self.state], now)
        if flapping is not None:
            self.flapping.resume(flapping, now - event.kept_ago_s)

    def restart(self) -> None:
        """It is a new one."""
        for probe in self.probes.values():
            probe.reset()
        self._bad_since = None
        self.detail = ""

    def blind(self, now: float, *, gap_s: float) -> None:
        """Nobody looked for so long, until `now`."""
        self.availability.settle(now - gap_s)
        self.availability.skip(now)
        for probe in self.probes.values():
            if probe.heartbeats is not None:
                probe.heartbeats.pause(gap_s)

    def _forget(self, now: float) -> None:
        while self._checks and self._checks[0][0] < now - self._history_s:
            self._checks.popleft()
