"""How a child ends on request. Pure.

    asked --in order--> killed, and with it those that stand by
      |
      +-- died, raised, or out of time --> over --> a standby is asked to put away what it holds

Whoever is accepted puts its state away as the last thing it does. Where it cannot, only its standbys have what the last
calls left behind: one after the other is asked to put that away, until one has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from supervisor import messages as m
from supervisor.supervision.orders import end_of
from supervisor.supervision.standbys import Standbys
from supervisor.supervision.state import State
from supervisor.tree import Child, ExitClass, Life

GONE_S = 5.0
"""How long after its kill a life is waited for, seconds: it is fenced, and holds nobody up any longer."""


class End(Protocol):
    """Says that a life is over."""

    def __call__(self, child: Child, life: Life, exit_class: ExitClass, detail: str, *, fence: bool) -> None: ...


class Stopping:
    """Ends children in order.

    Args:
        state: The tree.
        standbys: Who stands by.
        leave_pool: Called with a running member of a pool that serves no more.
        end: Says that a life is over.
    """

    def __init__(self, state: State, standbys: Standbys, leave_pool: Callable[[Child], None], end: End) -> None:
        self._s = state
        self._standbys = standbys
        self._leave_pool = leave_pool
        self._end = end

    def stop(self, child: Child, *, keep_standbys: bool = False, exit_class: ExitClass = "shutdown") -> bool:
        """Ask a child to end, and its standbys unless they are kept; returns whether it has ended already.

        Standbys that are being ended already are not kept.
        """
        if child.status != "stopping" or not keep_standbys:
            child.keep_standbys = keep_standbys
        if not self.left(child):
            child.status = "stopped"
            return True
        if child.status == "running":
            self._leave_pool(child)
        child.status = "stopping"
        self._s.publish()
        self.go_on(child, exit_class)
        return False

    @staticmethod
    def left(child: Child) -> list[Life]:
        """The lives that have to end before the child has."""
        return [life for life in child.lives.values() if not (child.keep_standbys and life.standby)]

    def go_on(self, child: Child, exit_class: ExitClass) -> None:
        """End what is left, up to the next one that can be asked; nothing happens while one is being asked."""
        left = self.left(child)
        if any(life.status == "stopping" and not life.is_doomed for life in left):
            return
        waiting = [life for life in self._standbys.in_turn(child) if life in left]
        for life in (*(life for life in left if not life.standby and life.status != "stopping"), *waiting):
            self._stop_life(child, life, exit_class)
            if not life.is_doomed:
                return

    def on_answered(self, event: m.StopAnswered) -> None:
        """It has done what it could, and is not needed any more; nor are its standbys, if that was all of it."""
        found = self._s.life(event.key, event.incarnation)
        if found is None or found[1].status != "stopping" or found[1].is_doomed:
            return
        child, life = found
        if event.in_order:
            for other in self.left(child):
                if other is not life and not other.is_doomed:
                    other.status, other.expected_exit = "stopping", life.expected_exit
                    self._kill(child, other)
        if life.shared:
            self._end(child, life, life.expected_exit or "shutdown", "", fence=True)
        else:
            self._kill(child, life)

    def on_patience_over(self, child: Child, life: Life) -> None:
        """It did not stop in time."""
        if not life.is_doomed:
            self._s.record(child, life, "killed", "did not stop in time")
            self._kill(child, life)

    def on_silent(self, child: Child, life: Life, detail: str) -> None:
        """One that may take as long as it likes hangs."""
        self._s.record(child, life, "killed", detail, "hung")
        self._kill(child, life)

    def on_gone(self, child: Child, life: Life) -> None:
        """It was killed, and nobody has told of its death."""
        self._end(child, life, life.expected_exit or "shutdown", "", fence=False)

    def _stop_life(self, child: Child, life: Life, exit_class: ExitClass) -> None:
        # What a predecessor began may have served for long, and hold state, before it answers here.
        can_answer = life.status == "running" or life.is_adopted
        life.status, life.expected_exit = "stopping", exit_class
        if not can_answer or child.plan.shutdown_s == "brutal_kill":
            self._kill(child, life)
            return
        self._s.emit(m.AskStop(key=child.plan.key, incarnation=life.incarnation))
        if not isinstance(child.plan.shutdown_s, str):
            self._s.set_timer(self._s.now + child.plan.shutdown_s, "kill", child.plan.key, life.incarnation)

    def _kill(self, child: Child, life: Life) -> None:
        life.is_doomed = True
        self._s.emit(end_of(child, life))
        self._s.set_timer(self._s.now + GONE_S, "gone", child.plan.key, life.incarnation)
