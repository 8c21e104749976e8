"""What the actors that own shared state are to the tree: services, like the log's writer. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from supervisor.tree import LOG, SYSTEM, ChildPlan

if TYPE_CHECKING:
    from supervisor.supervision.state import State

SHUTDOWN_S = 5.0


def service_plan(state: State, key: str) -> ChildPlan:
    """The plan of a service that came into being as it was needed, with the heartbeats of all of them."""
    log = state.children.get(LOG)
    like = ChildPlan(key=LOG, group=SYSTEM) if log is None else log.plan
    return replace(like, key=key, shutdown_s=SHUTDOWN_S)
