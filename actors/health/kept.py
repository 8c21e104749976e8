"""What a successor must know of a monitor.

Registrations, what was told of each component, how much of the time it was up, and its latest turns. Of all components
together so much is kept as has room on every board; of those beyond, availability begins anew. Histories are in the
log, and begin anew here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.health.availability import KeptAvailability
    from actors.health.component import Component
    from actors.health.flapping import KeptFlapping
    from actors.health.probe import Tally
    from actors.health.score import ComponentState
    from actors.health.settings import ProbeKind, ProbeSettings


AVAILABILITY_BYTES_MAX = 1 << 20
"""So much room the availability of all components may take; one takes some thirty to a thousand octets."""

SPAN_BYTES = 30
"""What a span of it takes, octets."""

PACKS_MAX = 20
"""So many components are packed again at once: each takes a third of a millisecond, and checks wait meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMonitor:
    """A monitor at one moment.

    Attributes:
        registrations: What was registered, in that order.
        nodes: The nodes that it knew.
        states: What was told of each component.
        tallies: What each probe has counted, by component, kind and place.
        delays: What is left of the initial delay of each probe that waits for that, seconds.
        lives: Which child each component is, and which life of it was seen last.
        availability: How much of the time each component was up.
        flapping: The latest turns of each component that has turned.
        stopped: Whether nothing is to be watched.
    """

    registrations: tuple[ProbeSettings, ...]
    nodes: tuple[str, ...]
    states: Mapping[str, ComponentState]
    tallies: Mapping[tuple[str, ProbeKind, str], Tally]
    delays: Mapping[tuple[str, ProbeKind, str], float] = field(default_factory=dict[Any, float])
    lives: Mapping[str, tuple[str, int]] = field(default_factory=dict[str, tuple[str, int]])
    availability: Mapping[str, KeptAvailability] = field(default_factory=dict[str, Any])
    flapping: Mapping[str, KeptFlapping] = field(default_factory=dict[str, Any])
    stopped: bool = False


def kept_of(
    components: Mapping[str, Component],
    nodes: tuple[str, ...],
    *,
    lives: Mapping[str, tuple[str, int]],
    stopped: bool,
    now: float,
) -> KeptMonitor:
    """What is to be kept of these at `now`, monotonic seconds."""
    flapping = {name: known.flapping.kept(now) for name, known in components.items()}
    return KeptMonitor(
        registrations=tuple(each for known in components.values() for each in known.registrations.values()),
        nodes=nodes,
        stopped=stopped,
        states={name: known.state for name, known in components.items()},
        tallies={
            (name, kind, place): probe.tally
            for name, known in components.items()
            for (kind, place), probe in known.probes.items()
        },
        delays={
            (name, kind, place): probe.starts_at - now
            for name, known in components.items()
            for (kind, place), probe in known.probes.items()
            if probe.starts_at > now
        },
        lives=dict(lives),
        availability=_availability(components, now),
        flapping={name: turns for name, turns in flapping.items() if turns[1]},
    )


def _availability(components: Mapping[str, Component], now: float) -> dict[str, KeptAvailability]:
    room, packs, found = AVAILABILITY_BYTES_MAX, PACKS_MAX, dict[str, "KeptAvailability"]()
    for name, known in components.items():
        if known.availability.is_new:
            continue
        if known.availability.is_long and packs > 0:
            packs -= 1
            known.availability.pack()
        kept = known.availability.kept(now)
        room -= SPAN_BYTES * (1 + len(kept[3])) + len(kept[-1])
        if room < 0:
            break
        found[name] = kept
    return found
