"""What the actors that own breakers are to the tree: services, like the log's writer. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from supervisor.tree import LOG

if TYPE_CHECKING:
    from supervisor.supervision.state import State
    from supervisor.tree import ChildPlan

SHUTDOWN_S = 5.0


def owner_plan(state: State, key: str) -> ChildPlan:
    """The plan of an owner, with the heartbeats of services."""
    return replace(state.children[LOG].plan, key=key, shutdown_s=SHUTDOWN_S)
