"""What people ask of a monitor: answered from what its machine knows. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from actors.health.kept import KeptMonitor, kept_of
from actors.health.report import Look
from actors.health.reporting import component_health, standing, system_health, weigh_system
from actors.health.settings import EVERY_NODE
from actors.health.sight import Sight
from actors.health.wards import Wards

if TYPE_CHECKING:
    from actors.health.answers import Outcome, Table
    from actors.health.component import Component, ProbeKey
    from actors.health.probe import Probe
    from actors.health.published import HealthStanding
    from actors.health.report import Check, ComponentHealth, SystemHealth
    from actors.health.reporting import SystemWeight
    from actors.health.settings import MonitorSettings, ProbeSettings


class Knowledge:
    """What a monitor knows.

    Args:
        settings: How it judges.
        now: The moment, monotonic seconds.
    """

    def __init__(self, settings: MonitorSettings, *, now: float) -> None:
        self._settings = settings
        self._now = now
        self._stopped = False
        self._wards = Wards()
        self._components: dict[str, Component] = {}
        self._depends_on: dict[str, tuple[str, ...]] = {}
        self._nodes: tuple[str, ...] = ()
        self._sight = Sight(settings)
        self._samples = 0
        self._weighed: SystemWeight | None = None
        self._scores: deque[tuple[float, float]] = deque(maxlen=settings.trend_points)

    def report(self, now: float) -> SystemHealth:
        """All components."""
        blind = str(self._sight) if self._sight.cut_off else ""
        now = max(self._now, now)
        return system_health(self._components, self._depends_on, self._scores, self._settings, blind=blind, now=now)

    def standing(self) -> HealthStanding:
        """All components in short."""
        blind = str(self._sight) if self._sight.cut_off else ""
        weighed = self._weighed or weigh_system(self._components, self._depends_on)
        children = self._wards.children
        found = standing(
            self._components, self._depends_on, self._scores, self._settings, children=children, weighed=weighed
        )
        return replace(found, samples=self._samples, blind=blind)

    def component(self, name: str, now: float) -> ComponentHealth | None:
        """One component, or None if nobody registered it."""
        now = max(self._now, now)
        return component_health(name, self._components, self._depends_on, self._settings, now=now)

    def flights_of(self, name: str) -> frozenset[int]:
        """The checks of a component that run within their time."""
        known = self._components.get(name)
        probes = () if known is None else known.probes.values()
        return frozenset(probe.flight for probe in probes if probe.flight is not None and not probe.hangs)

    def look(self, name: str, now: float, *, since: float, begun: int) -> Look | None:
        """What a look that began at `since`, monotonic seconds, has seen of a component; None of one that nobody knows.

        Args:
            name: The component.
            now: Monotonic seconds.
            since: When the look began.
            begun: How many checks ran then.
        """
        known = self._components.get(name)
        if known is None:
            return None
        now = max(self._now, now)
        checks = known.checks(now, since_s=now - since)
        bad = next((check for check in reversed(checks) if check.outcome != "passed"), None)
        detail = "" if bad is None else bad.detail or bad.outcome
        return Look(state=known.state, begun=begun, ended=len(checks), bad=detail)

    def history(self, name: str, now: float, *, since_s: float | None = None) -> tuple[Check, ...]:
        """A component's checks of the last `since_s` seconds, the latest last; none of one that nobody registered."""
        known = self._components.get(name)
        return () if known is None else known.checks(max(self._now, now), since_s=since_s)

    def kept(self) -> KeptMonitor:
        """What a successor must know."""
        return kept_of(self._components, self._nodes, lives=self._wards.met, stopped=self._stopped, now=self._now)

    def _places(self, settings: ProbeSettings) -> tuple[str, ...]:
        if settings.on == EVERY_NODE:
            return tuple(f"node:{node}" for node in self._nodes)
        return (settings.on or "",)

    def _all_places(self) -> frozenset[str]:
        return frozenset(place for known in self._components.values() for _, place in known.probes)

    def _see(self, place: str, outcome: Outcome) -> bool:
        """A check at a place ended so; tells whether that changed whether it is cut off.

        Who does not run is not out of reach: children may be ended at any time, and that is no blindness.
        """
        if outcome == "unreachable" and not self._wards.is_there(place):
            return self._sight.leave(place)
        return self._sight.see(place, reached=outcome != "unreachable")

    def _probe(self, key: ProbeKey) -> Probe:
        return self._components[key[0]].probes[key[1], key[2]]

    def _see_table(self, probe: Probe, table: Table) -> bool:
        """Its check has seen so much of Ray's table; tells whether that changed whether the monitor is cut off.

        Only from the monitor's own process: what agents cannot see says nothing of what it can.
        """
        if probe.place or not table:
            return False
        return self._sight.look_up(probe, answers=table == "answers", now=self._now)

    def _take_scores(self) -> float | None:
        """Note each component's score and the system's, which it returns."""
        self._samples += 1
        scores, total = self._weighed = weigh_system(self._components, self._depends_on)
        for name, score in scores.items():
            if score is not None:
                self._components[name].scores.append((self._now, score))
        if total is not None:
            self._scores.append((self._now, total))
        return total
