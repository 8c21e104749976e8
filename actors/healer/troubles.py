"""Which troubles and recoveries the supervisor's view tells of: children that were given up, or died. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from actors.healer import messages as m

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from actors.healer.settings import HealerSettings

_CHILD = "child/"

GIVEN_UP = "given up"
DIED = "died"


class SeenChild(Protocol):
    """A child as the leader announces it."""

    @property
    def key(self) -> str:
        """`<concern>/<child>`."""
        ...

    @property
    def status(self) -> str:
        """As "running"."""
        ...

    @property
    def restarts(self) -> int:
        """How often it was restarted."""
        ...

    @property
    def last_error(self) -> str:
        """Why it ended last."""
        ...


class SeenChildren:
    """What was seen of each user's child.

    Args:
        settings: What is an incident.
    """

    def __init__(self, settings: HealerSettings) -> None:
        self._settings = settings
        self._known: dict[str, tuple[str, int]] = {}
        self._given_up: set[str] = set()

    def see(self, children: Iterable[SeenChild], nodes: Mapping[str, str]) -> list[m.Event]:
        """What the latest view says that the one before did not.

        Args:
            children: All children.
            nodes: The node of each, by key, as far as it is known.
        """
        events: list[m.Event] = []
        seen: dict[str, tuple[str, int]] = {}
        for child in children:
            if child.key.startswith(_CHILD):
                seen[child.key] = (child.status, child.restarts)
                events += self._of(child, nodes.get(child.key, ""))
        self._known = seen
        self._given_up &= seen.keys()
        return events

    def status(self, component: str) -> str | None:
        """The status of a child by its name or key, or None: there is none of that name."""
        found = self._known.get(component) or self._known.get(f"{_CHILD}{component}")
        return None if found is None else found[0]

    def _of(self, child: SeenChild, node: str) -> list[m.Event]:
        name = child.key.removeprefix(_CHILD)
        before = self._known.get(child.key)
        if child.status == "given_up" and child.key not in self._given_up:
            self._given_up.add(child.key)
            severity = self._settings.on_child_given_up
            if severity is not None:
                return [_trouble(name, GIVEN_UP, severity, child.last_error, node)]
        if child.status == "running" and child.key in self._given_up:
            self._given_up.discard(child.key)
            return [m.TroubleEnded(component=name)]
        severity = self._settings.on_child_death
        if severity is not None and before is not None and child.restarts > before[1]:
            return [_trouble(name, DIED, severity, child.last_error, node)]
        return []


def _trouble(component: str, failure: str, severity: str, detail: str, node: str) -> m.TroubleReported:
    return m.TroubleReported(
        component=component,
        failure=failure,
        severity=severity,  # pyright: ignore[reportArgumentType] - the settings hold nothing else
        detail=detail,
        source="supervisor",
        node=node,
    )
