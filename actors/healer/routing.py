"""Which healer runs a step: one on a healthy node other than the failing one, by load and labels. Pure.

A node is healthy while no probe that runs there is failing, and it is not about to go, or kept off. Where none is, a
step is taken all the same: a recovery that waits for ever helps nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from typing import Any

CONCERN = "healer/"
COORDINATOR = "healer/main"


@dataclass(frozen=True, slots=True, kw_only=True)
class Healer:
    """A healer that lives.

    Attributes:
        name: The actor's.
        node: Where it runs.
        healthy: Whether that node is.
        load: How busy it is, 0 to 1, as its agent tells.
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
        failing_node: It runs on another node than this, if there is a healthy one.
        labels: Its node has all of these.
        running: Steps that each runs already, by name.
    """
    wanted = (labels or {}).items()
    fit = [each for each in healers if all(each.labels.get(name) == value for name, value in wanted)]

    def rank(each: Healer) -> tuple[bool, bool, int, float, str]:
        return not each.healthy, each.node == failing_node, running.get(each.name, 0), each.load, each.name

    return min(fit, key=rank, default=None)


def healers_of(
    view: Any, *, sick: Collection[str], labels: Mapping[str, Mapping[str, str]], loads: Mapping[str, float]
) -> tuple[Healer, ...]:
    """The healers that run, as the leader announces them.

    Args:
        view: What it announces: its children, and the nodes that are about to go or are kept off.
        sick: The nodes on which a probe is failing: their ids, or the beginnings of those.
        labels: The labels of each node.
        loads: How busy each is.
    """
    return tuple(
        Healer(
            name=child.name,
            node=node,
            healthy=node not in view.draining and not any(node.startswith(each) for each in sick),
            load=loads.get(node, 0.0),
            labels=labels.get(node, {}),
        )
        for child in view.children
        if child.key.startswith(CONCERN) and child.key != COORDINATOR
        if child.status == "running" and child.location is not None
        for node in (child.location.node_id,)
    )
