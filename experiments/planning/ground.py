"""What a run touches, so that no two runs touch the same. Pure.

Two runs meet where they have a name in common, or where one of them stands on a place that the other holds. Names alone
say too little: two targets may share a process, and a fault of a node hits whoever comes to it later, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Of one run.

    Attributes:
        names: Targets that are hit, selected or not.
        holds: Nodes and processes that it needs for itself: what it does to them is no other's doing.
        stands: Nodes and processes that its targets are on.
    """

    names: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    stands: tuple[str, ...] = ()

    def shared_with(self, other: Ground) -> tuple[str, ...]:
        """What both touch, in words; empty: they do not meet."""
        places = {*self.holds} & {*other.stands} | {*self.stands} & {*other.holds}
        return tuple(sorted({*self.names} & {*other.names} | places))

    def as_data(self) -> dict[str, list[str]]:
        """As it is written down."""
        return {"targets": [*self.names], "holds": [*self.holds], "stands": [*self.stands]}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Ground:
        """What was written down; what is missing there was not known."""
        names, holds, stands = (tuple(map(str, data.get(name, ()))) for name in ("targets", "holds", "stands"))
        return cls(names=names, holds=holds, stands=stands)


def node_place(node: str) -> str:
    """A node as a place."""
    return f"node {node[:_SHOWN]}"


def process_place(process: str) -> str:
    """A process as a place."""
    node, _, rest = process.partition("/")
    return f"process {node[:_SHOWN]}/{rest}"


_SHOWN = 12
