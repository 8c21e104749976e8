"""What a successor must know of a monitor.

Registrations and what was told of each component. Histories and availability are in the log, and begin anew here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.health.probe import ProbeStanding
    from actors.health.score import ComponentState
    from actors.health.settings import ProbeKind, ProbeSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMonitor:
    """A monitor at one moment.

    Attributes:
        registrations: What was registered, in that order.
        nodes: The nodes that it knew.
        states: What was told of each component.
        standings: What each probe said, by component, kind and place.
    """

    registrations: tuple[ProbeSettings, ...]
    nodes: tuple[str, ...]
    states: Mapping[str, ComponentState]
    standings: Mapping[tuple[str, ProbeKind, str], ProbeStanding]
