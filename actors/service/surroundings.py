"""What an owner learns from the supervisor's view: who writes the log, and which agents lay its words."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Mapping
from typing import Any

import ray

from actors.runtime.ids import NAMESPACE
from actors.runtime.replicated import Replica


class Surroundings:
    """As one actor sees them.

    Args:
        follow_agents: Told of the agents of all nodes, by node, with each view.
    """

    def __init__(self, follow_agents: Callable[[Mapping[str, str]], None]) -> None:
        self._follow_agents = follow_agents
        self._log_name: str | None = None
        self._log: tuple[str, Any] | None = None
        self._view: Any = None
        self.known = threading.Event()

    @property
    def view(self) -> Any:
        """The latest view, or None."""
        return self._view

    def take(self, replica: Replica) -> None:
        """The leader announces this."""
        view = pickle.loads(replica.payload)  # noqa: S301 - our own leader made it
        self._view, self._log_name = view, view.event_log
        self._follow_agents(view.agents)
        self.known.set()

    def log_writer(self) -> Any | None:
        """The handle of the log's writer, or None while it is not known."""
        name = self._log_name
        if name is None:
            return None
        if self._log is None or self._log[0] != name:
            try:
                self._log = (name, ray.get_actor(name, namespace=NAMESPACE))
            except ValueError:
                return None
        return self._log[1]
