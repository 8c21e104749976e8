"""Moving children away from nodes that are about to go. Pure.

    on a node that goes --a standby elsewhere is ready--> stopping (the standby stays) --over--> promoted elsewhere

The standby is begun for the purpose if there is none, and again if it fails. The change counts against nothing.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Protocol

from supervisor.supervision.placing import must_move, staying
from supervisor.supervision.standbys import Standbys
from supervisor.supervision.state import State
from supervisor.tree import Child, ExitClass


class Stop(Protocol):
    """Asks a child to end."""

    def __call__(self, child: Child, *, keep_standbys: bool = False, exit_class: ExitClass = "shutdown") -> bool: ...


class Moving:
    """Has another life ready elsewhere, then changes over."""

    def __init__(self, state: State, standbys: Standbys, stop: Stop) -> None:
        self._s = state
        self._standbys = standbys
        self._stop = stop

    def leave(self, child: Child, nodes: AbstractSet[str]) -> None:
        """These nodes are about to go, or are so no longer: bring a child's lives to where they belong."""
        if not child.plan.is_bound and staying(self._s):
            going = nodes & self._s.draining
            lost = [life for life in child.standbys() if life.location is not None and life.location.node_id in going]
            if lost:
                self._standbys.release(child, lost)
        self._standbys.refill(child)
        self.go(child)

    def go(self, child: Child) -> None:
        """Change over, if it is time to."""
        life = child.accepted
        if life is None or life.status != "running" or child.status != "running" or not must_move(self._s, child):
            return
        if self._standbys.heir_elsewhere(child) is None:
            return
        self._s.record(child, life, "draining", "its node is about to go")
        self._stop(child, keep_standbys=True, exit_class="preempted")
