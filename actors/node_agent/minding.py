"""Processes of this node whose deaths somebody else wants to hear of."""

from __future__ import annotations

import threading
from collections import defaultdict

import ray

from actors.runtime.death_watch import DeathWatch
from actors.runtime.ids import NAMESPACE
from actors.runtime.process import ProcessIdentity, is_alive

MINDED_MAX = 10_000
"""Processes that are minded; of those beyond, leases end by their time."""


class Minding:
    """Tells owners of the deaths of processes that use what they own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owners: defaultdict[str, set[str]] = defaultdict(set)
        self._deaths = DeathWatch(self._on_death)

    def mind(self, owner: str, name: str, identity: ProcessIdentity) -> None:
        """Tell `owner` when the process that it calls `name` dies; at once if it is dead already."""
        with self._lock:
            if name not in self._owners and len(self._owners) >= MINDED_MAX:
                return
            self._owners[name].add(owner)
        if not self._deaths.watch(name, identity) and not is_alive(identity):
            self._on_death(name)

    def close(self) -> None:
        """Mind nobody any more."""
        self._deaths.close()

    def _on_death(self, name: str) -> None:
        with self._lock:
            owners = self._owners.pop(name, set())
        for owner in owners:
            try:
                ray.get_actor(owner, namespace=NAMESPACE).process_died.remote(name)
            except ValueError:
                continue  # that life is over, and its successor minds who is introduced to it
