"""Ending a supervisor with everything of it, also when its leader hangs, dies on the way, or is just being replaced."""

from __future__ import annotations

from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError

from actors.runtime.errors import SupervisorError
from actors.runtime.ids import ROOT_KEY
from supervisor.charter import Charter
from supervisor.election import actor_by_name, elect, find_leader, inventory, leader_name

SHUTDOWN_TIMEOUT_S = 30.0
EMBEDDED_SHUTDOWN_TIMEOUT_S = 8.0
"""The whole cluster ends next, and may be ending already (a signal to the process group): it is not waited for long."""

_ROUNDS = 3


def end_supervisor(charter: Charter, leader: Any, *, embedded: bool) -> None:
    """Ask the leader to end its standby and all children, then end it; one that cannot is replaced by one that can.

    Args:
        charter: What a successor is made of.
        leader: The handle of the leader known last.
        embedded: The cluster ends next, and all children with it.
    """
    asked = _ask(leader, EMBEDDED_SHUTDOWN_TIMEOUT_S if embedded else SHUTDOWN_TIMEOUT_S)
    if embedded:
        return
    for _ in range(_ROUNDS):
        if asked or not any(actor.alive for actor in inventory(charter.name) if actor.key != ROOT_KEY):
            break
        # A standby takes over when its leader is gone, and then does what was asked.
        found = find_leader(charter.name) or elect(charter, after=0)
        asked = _ask(found[1], SHUTDOWN_TIMEOUT_S)
    _end_lives(charter.name)


def _ask(leader: Any, timeout_s: float) -> bool:
    """Whether the leader did it; it is dead afterwards in any case."""
    try:
        ray.get(leader.shutdown.remote(), timeout=timeout_s)
    except (RayError, GetTimeoutError, SupervisorError):
        return False
    finally:
        ray.kill(leader, no_restart=True)
    return True


def _end_lives(supervisor: str) -> None:
    """Nobody holds the office any more: neither a standby whose leader could not end it, nor one made meanwhile."""
    for actor in inventory(supervisor):
        if actor.alive and actor.key == ROOT_KEY:
            handle = actor_by_name(leader_name(supervisor, actor.incarnation))
            if handle is not None:
                ray.kill(handle, no_restart=True)
