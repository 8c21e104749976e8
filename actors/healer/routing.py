"""Which healer runs a step: one on a healthy node other than the failing one, by load and labels. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Healer:
    """A healer that lives.

    Attributes:
        name: The actor's.
        node: Where it runs.
        healthy: Whether that node is.
        load: How busy it is, 0 to 1, by whatever the shell measures.
        labels: The node's.
    """

    name: str
    node: str
    healthy: bool = True
    load: float = 0.0
    labels: Mapping[str, str] = field(default_factory=dict[str, str])


def pick_healer(
    healers: Iterable[Healer],
    *,
    failing_node: str = "",
    labels: Mapping[str, str] | None = None,
    running: Mapping[str, int],
) -> Healer | None:
    """The healer that runs the next step, or None if there is none that may.

    Args:
        healers: Those that live.
        failing_node: It runs on another node than this, if there is one.
        labels: Its node has all of these.
        running: Steps that each runs already, by name.
    """
    wanted = (labels or {}).items()
    fit = [each for each in healers if each.healthy and all(each.labels.get(name) == value for name, value in wanted)]
    elsewhere = [each for each in fit if each.node != failing_node]
    return min(elsewhere or fit, key=lambda each: (running.get(each.name, 0), each.load, each.name), default=None)
