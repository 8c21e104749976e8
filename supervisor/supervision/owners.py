"""What the actors that own breakers are to the tree: services, like the log's writer. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from supervisor.tree import LOG, SYSTEM, ChildPlan

if TYPE_CHECKING:
    from supervisor.supervision.state import State

SHUTDOWN_S = 5.0


def owner_plan(state: State, key: str) -> ChildPlan:
    """The plan of an owner, with the heartbeats of services."""
    log = state.children.get(LOG)
    like = ChildPlan(key=LOG, group=SYSTEM) if log is None else log.plan
    return replace(like, key=key, shutdown_s=SHUTDOWN_S)
