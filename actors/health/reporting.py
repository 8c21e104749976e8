"""What is said of the components at one moment. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.health.published import DETAIL_MAX, HealthStanding, SickNote
from actors.health.report import ComponentHealth, SystemHealth
from actors.health.score import Weighed, causes, effective_scores, system_score
from actors.health.trend import trend
from actors.runtime.graph import closure, in_order

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actors.health.component import Component
    from actors.health.score import ComponentState
    from actors.health.settings import MonitorSettings

STALE_SAMPLES = 3
"""A standing is said anew with each sample; when so many are missing it is stale."""

_NODE = "node:"

Needs = dict[str, tuple[str, ...]]


SystemWeight = tuple[dict[str, "float | None"], "float | None"]
"""The score of each component, and the system's."""


def weigh_system(components: Mapping[str, Component], depends_on: Needs) -> SystemWeight:
    """Each component's score with what its dependencies have lost, and the system's."""
    weighed = {
        name: Weighed(state=known.state, own=known.own_score(), weight=known.weight, critical=known.critical)
        for name, known in components.items()
    }
    scores = effective_scores(weighed, depends_on, in_order(depends_on))
    return scores, system_score(weighed, scores)


def caused_by(name: str, components: Mapping[str, Component], depends_on: Needs) -> tuple[str, ...]:
    """The dependencies of one component that are down, where that began."""
    near = _around(name, depends_on)
    states: dict[str, ComponentState] = {each: components[each].state for each in near}
    return causes(states, near, in_order(near)).get(name, ())


def component_health(
    name: str, components: Mapping[str, Component], depends_on: Needs, settings: MonitorSettings, *, now: float
) -> ComponentHealth | None:
    """One component, or None if there is none of that name."""
    if name not in components:
        return None
    near = _around(name, depends_on)
    scores, _ = weigh_system({each: components[each] for each in near}, near)
    cause = caused_by(name, components, depends_on)
    return _told(name, components[name], scores[name], cause, settings, now)


def system_health(
    components: Mapping[str, Component],
    depends_on: Needs,
    samples: Sequence[tuple[float, float]],
    settings: MonitorSettings,
    *,
    blind: str,
    now: float,
) -> SystemHealth:
    """All components."""
    scores, total = weigh_system(components, depends_on)
    blamed = causes({name: known.state for name, known in components.items()}, depends_on, in_order(depends_on))
    return SystemHealth(
        score=total,
        trend=trend(tuple(samples), settings),
        components={
            name: _told(name, known, scores[name], blamed.get(name, ()), settings, now)
            for name, known in components.items()
        },
        blind=blind,
    )


def standing(
    components: Mapping[str, Component],
    depends_on: Needs,
    samples: Sequence[tuple[float, float]],
    settings: MonitorSettings,
    *,
    children: Mapping[str, str],
    weighed: SystemWeight,
) -> HealthStanding:
    """All components in short; a hundredth of the work of `system_health`."""
    scores, total = weighed
    return HealthStanding(
        score=total,
        trend=trend(tuple(samples), settings).direction,
        components={name: known.state for name, known in components.items()},
        scores={name: score for name, score in scores.items() if score is not None},
        flapping=tuple(name for name, known in components.items() if known.flapping.active),
        sick={
            name: SickNote(detail=known.detail[:DETAIL_MAX], silent_s=known.silent_s, child=children.get(name, ""))
            for name, known in components.items()
            if known.state == "unhealthy"
        },
        depends_on={name: needed for name, needed in depends_on.items() if needed},
        sick_nodes=sick_nodes(components),
        stale_after_s=STALE_SAMPLES * settings.sample_s + settings.blind_after_s,
    )


def sick_nodes(components: Mapping[str, Component]) -> tuple[str, ...]:
    """The nodes on which a startup or liveness probe that runs there is failing."""
    found = {
        place.removeprefix(_NODE)
        for known in components.values()
        for (kind, place), probe in known.probes.items()
        if place.startswith(_NODE) and kind != "readiness" and probe.standing == "failing"
    }
    return tuple(sorted(found))


def _around(name: str, depends_on: Needs) -> Needs:
    return {each: depends_on[each] for each in (name, *closure(depends_on, name)) if each in depends_on}


def _told(
    name: str,
    known: Component,
    score: float | None,
    cause: tuple[str, ...],
    settings: MonitorSettings,
    now: float,
) -> ComponentHealth:
    return ComponentHealth(
        name=name,
        state=known.state,
        score=score,
        trend=trend(tuple(known.scores), settings),
        since_s=now - known.since,
        flapping=known.flapping.active,
        caused_by=cause,
        critical=known.critical,
        weight=known.weight,
        availability=known.availability.shares(now),
        last=known.last,
    )
