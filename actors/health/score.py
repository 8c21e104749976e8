"""How well a component is, and the system: 0 to 100. Pure.

A place of a component is worth 100; less up to 50 the nearer its liveness or startup probe is to failing, 50 when it
is not ready, 0 when it is dead, and never more than its probe says itself. The component is the mean of its places, at
most 50 while it flaps. It loses half of what the worst of its dependencies has lost: who cannot do without that is not
well either. The system is the weighted mean of the components, and never better than a critical one. What nobody has
seen counts for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from actors.health.probe import Probe

ComponentState = Literal["unknown", "starting", "healthy", "unready", "unhealthy"]

IMPAIRED: tuple[ComponentState, ...] = ("unready", "unhealthy")
"""States in which a component takes others down with it."""

BADNESS: dict[ComponentState, int] = {"healthy": 0, "starting": 1, "unknown": 2, "unready": 3, "unhealthy": 4}

BEST = 100.0
_HALF = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What the system's score needs of a component.

    Attributes:
        state: Its state, as told.
        own: Its score by its own probes, None if nothing is known.
        weight: Its share.
        critical: Whether it caps the system.
    """

    state: ComponentState
    own: float | None
    weight: float
    critical: bool


def state_of(probes: Collection[Probe]) -> ComponentState:
    """The state that the probes of one component, at all its places, say it is in."""
    if probes and all(probe.standing == "passing" for probe in probes):
        return "healthy"  # most are, and each check asks
    startup = [probe.standing for probe in probes if probe.settings.kind == "startup"]
    alive = [probe.standing for probe in probes if probe.settings.kind == "liveness"]
    ready = [probe.standing for probe in probes if probe.settings.kind == "readiness"]
    if "failing" in startup or "failing" in alive:
        return "unhealthy"
    if "pending" in startup:
        return "starting"
    return "unready" if "failing" in ready else "unknown"


def own_score(probes: Iterable[Probe], *, flapping: bool = False) -> float | None:
    """The score of a component by its own probes, None when none has a result that counts."""
    places: dict[str, float] = {}
    for probe in probes:
        worth = _worth(probe)
        if worth is not None:
            places[probe.place] = min(worth, places.get(probe.place, BEST))
    if not places:
        return None
    mean = sum(places.values()) / len(places)
    return min(mean, _HALF) if flapping else mean


def effective_scores(
    components: Mapping[str, Weighed], depends_on: Mapping[str, Collection[str]], order: Sequence[str]
) -> dict[str, float | None]:
    """Each component's score with what its dependencies have lost.

    Args:
        components: What is known of each.
        depends_on: What each depends on; unknown names count for nothing.
        order: The names, each after those that it depends on.
    """
    found: dict[str, float | None] = {}
    for name in order:
        own = components[name].own
        below = [worth for each in depends_on[name] if (worth := found.get(each)) is not None]
        found[name] = own if own is None or not below else min(own, _HALF + min(below) / 2)
    return found


def causes(
    states: Mapping[str, ComponentState], depends_on: Mapping[str, Collection[str]], order: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """For each component of which a dependency is down, however far away: the dependencies where that began."""
    found: dict[str, tuple[str, ...]] = {}
    for name in order:
        roots: set[str] = set()
        for each in depends_on[name]:
            roots.update(found.get(each) or ((each,) if states.get(each) in IMPAIRED else ()))
        if roots:
            found[name] = tuple(sorted(roots))
    return found


def system_score(components: Mapping[str, Weighed], scores: Mapping[str, float | None]) -> float | None:
    """The score of all together, None when nothing is known of any that weighs something or is critical."""
    known = [(worth, components[name]) for name, worth in scores.items() if worth is not None]
    weight = sum(each.weight for _, each in known)
    parts = [worth for worth, each in known if each.critical]
    if weight > 0:
        parts.append(sum(worth * each.weight for worth, each in known) / weight)
    return min(parts, default=None)


def _worth(probe: Probe) -> float | None:
    if probe.standing == "failing":
        return _HALF if probe.settings.kind == "readiness" else 0.0
    if probe.standing != "passing":
        return None
    worth = BEST if probe.settings.kind == "readiness" else BEST - _HALF * probe.nearness
    return worth if probe.score is None else min(worth, probe.score)
