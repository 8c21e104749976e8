"""Looking at a process and killing it, wherever on the cluster it runs: here, or through its node's agent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import ray

from actors.runtime import process
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.process import ProcessEvidence
from actors.runtime.replies import when_answered
from supervisor.election import actor_by_name

if TYPE_CHECKING:
    from supervisor.tree import Location


class Reach:
    """One process's arms on all nodes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._agents: dict[str, tuple[str, Any]] = {}
        self.node_id: str = ray.get_runtime_context().get_node_id()

    def know(self, agents: Mapping[str, str]) -> None:
        """The agents' names by node; those not met before are met now, so that nothing is looked up in need."""
        for node, name in agents.items():
            if self._agents.get(node, ("", None))[0] != name and (handle := actor_by_name(name)) is not None:
                with self._lock:
                    self._agents[node] = (name, handle)
        with self._lock:
            for node in self._agents.keys() - agents.keys():
                del self._agents[node]

    def agents(self) -> dict[str, Any]:
        """The handles of the agents that were met, by name."""
        with self._lock:
            return dict(self._agents.values())

    def look(self, where: Location, found: Callable[[ProcessEvidence], None]) -> None:
        """Call back with what the kernel says about a process; not at all if its node is out of reach."""
        if where.node_id == self.node_id:
            found(process.evidence(where.process, SYSTEM_CLOCK.now()))
        elif (agent := self._agents.get(where.node_id)) is not None:

            def answered(reply: Any) -> None:
                if isinstance(reply, ProcessEvidence):
                    found(reply)

            when_answered(agent[1].evidence.remote(where.process), answered)

    def kill(self, where: Location, *, by: int, name: str) -> None:
        """SIGKILL the process of the actor `name`, by order of the incarnation `by`; without waiting for its end."""
        if where.node_id == self.node_id:
            process.kill(where.process)
        elif (agent := self._agents.get(where.node_id)) is not None:
            agent[1].kill.remote(where.process, by, name)
