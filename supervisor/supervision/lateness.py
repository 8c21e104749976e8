"""A life that does not answer within the time that its start may take. Pure.

    starting --late--> over
        |                ^
        +--late, and it reserves something--> asked what it waits for --found out, or not in time--+

Ray places an actor whenever there is room, and says nothing while there is none: so the reason is looked for only then.
"""

from __future__ import annotations

from typing import Protocol

from supervisor import messages as m
from supervisor.supervision.state import State
from supervisor.tree import Child, ExitClass, Life

ROOM_S = 2.0
"""How long it may take to find out what a life that is late waits for, seconds."""


class End(Protocol):
    """Ends a life."""

    def __call__(self, child: Child, life: Life, exit_class: ExitClass, detail: str, *, fence: bool) -> None: ...


class Lateness:
    """Ends lives that are late.

    Args:
        state: The tree.
        end: Ends a life.
    """

    def __init__(self, state: State, end: End) -> None:
        self._s = state
        self._end = end

    def on_late(self, child: Child, life: Life) -> None:
        """The time is over, or that in which it was to be found out why."""
        if life.status != "starting":
            return
        if life.is_late or not child.plan.reserves:
            self._end_late(child, life, "")
            return
        life.is_late = True
        self._s.set_timer(self._s.now + ROOM_S, "late", child.plan.key, life.incarnation)
        self._s.emit(m.LookForRoom(key=child.plan.key, incarnation=life.incarnation))

    def on_room_seen(self, event: m.RoomSeen) -> None:
        """It was found out what a life waits for."""
        found = self._s.life(event.key, event.incarnation)
        if found is not None and found[1].is_late and found[1].status == "starting":
            self._end_late(*found, event.lacks)

    def _end_late(self, child: Child, life: Life, lacks: str) -> None:
        life.is_late = True
        waited = f"did not answer within {child.plan.start_timeout_s:g} s of its start"
        self._end(child, life, "crash", f"{waited}: {lacks}" if lacks else waited, fence=True)
