"""Whether a registration can be. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.runtime.graph import closure, find_cycle

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.health.settings import ProbeSettings


def problems_of(
    settings: ProbeSettings, depends_on: Mapping[str, tuple[str, ...]], *, probes: int, places: int, probes_max: int
) -> tuple[str, ...]:
    """What is wrong with it, each beginning with the path of its field.

    Args:
        settings: The registration.
        depends_on: What each component depends on already.
        probes: How many there are, at all places.
        places: At how many it is to run.
        probes_max: How many there may be.
    """
    name = settings.component
    needs = {**depends_on, name: (*depends_on.get(name, ()), *settings.depends_on)}
    found: list[str] = []
    if name in closure(needs, name):
        ring = find_cycle({each: needs.get(each, ()) for each in (name, *closure(needs, name))})
        found.append(f"depends_on: {' -> '.join(ring)} is a ring: none of them could ever be the cause; cut it")
    if probes + places > probes_max:
        found.append(f"component: the monitor has {probes_max} probes, its limit; unregister some or raise probes_max")
    return tuple(found)
