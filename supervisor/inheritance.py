"""What a new leader finds of its predecessors' state: on its board, with the agents, in the log, with children."""

from __future__ import annotations

import pickle
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError

from actors.node_agent.actor import ledger_on_board
from actors.runtime.errors import SupervisorError
from actors.runtime.replicated import Replica
from supervisor.child_ports import ClusterPorts
from supervisor.creating import cluster_era
from supervisor.election import actor_by_name
from supervisor.estate import Estate, Keepsake
from supervisor.ledger_log import read_ledger_log
from supervisor.messages import KnownActor
from supervisor.succession import newest

AGENTS_S = 1.0
"""How long all agents together may take to answer, seconds; they are asked at once."""


def find_ledger(supervisor: str, actors: tuple[KnownActor, ...]) -> Replica | None:
    """The newest copy within reach; None when there is none, as there is none for the first leader.

    Args:
        supervisor: The supervisor's name.
        actors: What Ray's table holds of its actors.
    """
    found = newest([ledger_on_board(supervisor), *_ask_agents(supervisor, actors)])
    if found is not None:
        return found
    ports = ClusterPorts(supervisor, era=cluster_era())
    return read_ledger_log(supervisor, ports.writer, era=cluster_era())


def complete(estate: Estate, supervisor: str, actors: tuple[KnownActor, ...]) -> Estate:
    """A predecessor's estate with the children that it did not tell of: they live, and tell of themselves."""
    living = {actor.key: actor for actor in actors if actor.alive and actor.key.startswith("child/")}
    asked: list[Any] = []
    for key in estate.missing(living):
        handle = actor_by_name(living[key].host or f"{supervisor}/{key}#{living[key].incarnation}")
        if handle is not None:
            asked.append(handle.recipe_of.remote(key))
    told: list[Keepsake] = []
    for ref in ray.wait(asked, num_returns=len(asked), timeout=AGENTS_S)[0] if asked else ():
        try:
            recipe: Any = ray.get(ref)
        except (RayError, SupervisorError):
            continue  # gone by now, or it was never built
        told.append(pickle.loads(recipe.keepsake))  # noqa: S301 - our own leader gave it to the child
    return estate.completed(told) if told else estate


def _ask_agents(supervisor: str, actors: tuple[KnownActor, ...]) -> list[Replica]:
    names = [
        f"{supervisor}/{actor.key}#{actor.incarnation}"
        for actor in actors
        if actor.alive and actor.key.startswith("node_agent/")
    ]
    handles = [handle for name in names if (handle := actor_by_name(name)) is not None]
    asked: list[Any] = [handle.ledger.remote() for handle in handles]
    answered: list[Any] = ray.wait(asked, num_returns=len(asked), timeout=AGENTS_S)[0] if asked else []
    found: list[Replica] = []
    for ref in answered:
        try:
            copy: Replica | None = ray.get(ref, timeout=AGENTS_S)
        except (RayError, GetTimeoutError):
            continue  # that agent is gone; the others' copies are as good
        if copy is not None:
            found.append(copy)
    return found
