"""What a successor must know of a monitor.

Registrations and what was told of each component. Histories and availability are in the log, and begin anew here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.health.component import Component
    from actors.health.probe import Tally
    from actors.health.score import ComponentState
    from actors.health.settings import ProbeKind, ProbeSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMonitor:
    """A monitor at one moment.

    Attributes:
        registrations: What was registered, in that order.
        nodes: The nodes that it knew.
        states: What was told of each component.
        tallies: What each probe has counted, by component, kind and place.
        stopped: Whether nothing is to be watched.
    """

    registrations: tuple[ProbeSettings, ...]
    nodes: tuple[str, ...]
    states: Mapping[str, ComponentState]
    tallies: Mapping[tuple[str, ProbeKind, str], Tally]
    stopped: bool = False


def kept_of(components: Mapping[str, Component], nodes: tuple[str, ...], *, stopped: bool) -> KeptMonitor:
    """What is to be kept of these."""
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
    )
