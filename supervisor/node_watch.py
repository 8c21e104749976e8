"""Looks at the cluster's nodes every second, and tells the machine what has changed."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ray.exceptions import RayError

from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.draining import draining_nodes
from actors.runtime.keeping_off import kept_off
from actors.runtime.vital_threads import steady_thread
from supervisor import messages as m
from supervisor.election import living_nodes

NODES_EVERY_S = 1.0


class NodeWatch:
    """One leader's eye on the nodes.

    Args:
        supervisor: The supervisor's name.
        post: Takes events for the machine.
        ended: Set when there is nothing to look for any more.
    """

    def __init__(self, supervisor: str, post: Callable[[m.Event], None], ended: threading.Event) -> None:
        self._supervisor = supervisor
        self._post = post
        self._ended = ended
        self._draining: tuple[str, ...] = ()
        self._thread = steady_thread(self._run, name="supervisor-nodes")

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    @property
    def draining(self) -> frozenset[str]:
        """The nodes that are about to go, or that a healer keeps work off."""
        return frozenset(self._draining)

    def _look_at_drains(self) -> tuple[str, ...]:
        """What was known stands while the GCS does not answer."""
        found, off = draining_nodes(), kept_off(self._supervisor, SYSTEM_CLOCK.wall_us())
        if found is not None and off is not None:
            self._draining = tuple(sorted({*found, *off}))
        return self._draining

    def _run(self) -> None:
        known: m.NodesSeen | None = None
        while not self._ended.wait(NODES_EVERY_S):
            try:
                seen = m.NodesSeen(nodes=tuple(sorted(living_nodes())), draining=self._look_at_drains())
            except RayError:
                continue
            if seen != known:
                known = seen
                self._post(seen)
