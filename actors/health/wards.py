"""The supervised children among the components: one that is verified to be sick is replaced. Pure.

A component is a child if its probes run in that (`on="child:cart"`), or if it has a child's name. It is verified when
its state is unhealthy and a startup or liveness probe failed just now, seen by this very life of the monitor; when no
dependency is the cause, which a restart would not mend; and when the monitor is not cut off. What could not be reached,
or took place while the monitor was blind, verifies nothing.

One of two decides what becomes of a sick child. Where there is a healer that takes sickness for an incident, it does:
by its plans, and not while an operator holds the child. Else the monitor has it replaced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.health import messages as m

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from actors.health.component import Component
    from actors.health.settings import ProbeSettings

ASK_AGAIN_S = 30.0
"""A life that goes on so long after it was asked to be replaced is asked to be once more, seconds."""

HEALER = "healer/main"

_ON_CHILD = "child:"
_ENDED = ("stopped", "ignored", "given_up")


class Wards:
    """The children that the supervisor has, and which of them were asked to be replaced."""

    def __init__(self) -> None:
        self._lives: Mapping[str, int] = {}
        self._met: dict[str, tuple[str, int]] = {}
        self._asked: dict[str, tuple[int, float]] = {}
        self._healed = False

    @property
    def children(self) -> dict[str, str]:
        """The keys of the children that components are, by the components' names."""
        return {name: key for name, (key, _) in self._met.items()}

    @property
    def met(self) -> Mapping[str, tuple[str, int]]:
        """Which child each component is, and which life of it was seen last."""
        return self._met

    def is_there(self, place: str) -> bool:
        """Whether a place is one that can be reached: of a child only while the supervisor says that it runs."""
        return not place.startswith(_ON_CHILD) or child_key(place.removeprefix(_ON_CHILD)) in self._lives

    def resume(self, met: Mapping[str, tuple[str, int]]) -> None:
        """So much an earlier life of the monitor knew."""
        self._met = dict(met)

    def see(self, seen: m.ChildrenSeen, components: Mapping[str, Component]) -> list[str]:
        """These run now; returns the components of which another life runs than before."""
        self._lives, self._healed = seen.lives, seen.healed
        return [name for name, known in components.items() if self._meet(name, known)]

    def meet(self, name: str, component: Component) -> None:
        """A component was registered."""
        self._meet(name, component)

    def forget(self, name: str) -> None:
        """A component is no more."""
        self._met.pop(name, None)
        self._asked.pop(name, None)

    def wish(self, name: str, detail: str, now: float) -> m.ReplaceChild | None:
        """It was verified now that a component is sick; what is to be done if it is a child."""
        met = self._met.get(name)
        if self._healed or met is None or self._lives.get(met[0]) != met[1]:
            return None
        key, incarnation = met
        asked = self._asked.get(name)
        if asked is not None and asked[0] == incarnation and now - asked[1] < ASK_AGAIN_S:
            return None
        self._asked[name] = (incarnation, now)
        return m.ReplaceChild(component=name, key=key, incarnation=incarnation, detail=detail)

    def _meet(self, name: str, component: Component) -> bool:
        """Note which life a component is; tells whether another was known before."""
        key = next((key for key in _keys(name, component.registrations.values()) if key in self._lives), None)
        if key is None:
            return False
        before, self._met[name] = self._met.get(name), (key, self._lives[key])
        return before is not None and before != self._met[name]


def _keys(name: str, registrations: Iterable[ProbeSettings]) -> Iterable[str]:
    """Which children it may be."""
    for each in registrations:
        if each.on is not None and each.on.startswith(_ON_CHILD):
            yield child_key(each.on.removeprefix(_ON_CHILD))
    yield child_key(name)


def child_key(child: str) -> str:
    """The key of a child that was given by its name or its key."""
    return child if "/" in child else f"child/{child}"


def has_healer(statuses: Mapping[str, str]) -> bool:
    """Whether there is a healer: one that was started and not ended by hand. It may be on its way to its next life.

    Args:
        statuses: Of all children, by their keys.
    """
    return statuses.get(HEALER, _ENDED[0]) not in _ENDED
