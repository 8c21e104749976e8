"""Ending a supervisor with everything of it, also when its leader hangs or dies on the way."""

from __future__ import annotations

from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError

from supervisor.charter import Charter
from supervisor.election import CONCERN, elect, find_leader, inventory

SHUTDOWN_TIMEOUT_S = 30.0
EMBEDDED_SHUTDOWN_TIMEOUT_S = 8.0
"""The whole cluster ends next, and may be ending already (a signal to the process group): it is not waited for long."""

_ROUNDS = 3


def end_supervisor(charter: Charter, leader: Any, *, embedded: bool) -> None:
    """Ask the leader to end all children, then end it; one that cannot is replaced by one that can.

    Args:
        charter: What a successor is made of.
        leader: The handle of the leader known last.
        embedded: The cluster ends next, and all children with it.
    """
    asked = _ask(leader, EMBEDDED_SHUTDOWN_TIMEOUT_S if embedded else SHUTDOWN_TIMEOUT_S)
    if asked or embedded:
        return
    for _ in range(_ROUNDS):
        if not any(actor.alive for actor in inventory(charter.name) if not actor.key.startswith(CONCERN)):
            return
        found = find_leader(charter.name) or elect(charter, after=0)
        if _ask(found[1], SHUTDOWN_TIMEOUT_S):
            return


def _ask(leader: Any, timeout_s: float) -> bool:
    """Whether the leader did it; it is dead afterwards in any case."""
    try:
        ray.get(leader.shutdown.remote(), timeout=timeout_s)
    except (RayError, GetTimeoutError):
        return False
    finally:
        ray.kill(leader, no_restart=True)
    return True
