"""The lives of a child: how one begins, serves and ends. Pure.

    (StartChild) starting --ready--> running --died, hung, unhealthy--> over
                    |                   |
                    +--start failed-----|----------------------------> over
                    +-------------------+--asked to stop--> stopping -> over

Of a child's lives one is accepted: it serves. The others stand by, constructed and idle, and the oldest of them is
accepted when the accepted one is over. Every life has a number; news of a life that is over is not applied. A life that
is ended against its will is fenced first: the view without it is announced, then it is killed.

What a life's end means for the child and its siblings is the group's business (`Members`).
"""

from __future__ import annotations

from typing import Protocol

from supervisor import messages as m
from supervisor.supervision.lateness import Lateness
from supervisor.supervision.moving import Moving
from supervisor.supervision.orders import end_of
from supervisor.supervision.placing import place
from supervisor.supervision.restarting import explain
from supervisor.supervision.standbys import Standbys
from supervisor.supervision.state import State
from supervisor.supervision.stopping import Stopping
from supervisor.supervision.suspicion import is_heard, weigh
from supervisor.tree import OWN_BACKOFFS, Child, ExitClass, Life, leave_place, take_place

BREATH_S = 0.1
"""How long after a promotion the next standby is begun, seconds: a new process takes the processor for half a second,
just when everybody waits for the promoted one."""

WHY_S = 0.1
"""How long Ray may take to say why a process ended whose end the kernel has told, seconds."""


class Members(Protocol):
    """Who is told what became of a member of a group."""

    def started(self, member: str) -> None:
        """It is up."""
        ...

    def failed_start(
        self, member: str, exit_class: ExitClass, error: str, cause: bytes | None, life: Life | None
    ) -> None:
        """It did not come up."""
        ...

    def ended(self, member: str) -> None:
        """It was asked to end, and has."""
        ...

    def died(self, member: str, exit_class: ExitClass, detail: str, life: Life | None) -> None:
        """It ended by itself."""
        ...


class Lives:
    """Begins and ends lives."""

    def __init__(self, state: State) -> None:
        self._s = state
        self.members: Members
        self.standbys = Standbys(state, self.begin)
        self.stopping = Stopping(state, self.standbys, self._leave_pool, self.end)
        self.moving = Moving(state, self.standbys, self.stopping.stop)
        self.lateness = Lateness(state, self.end)

    # -- beginning --------------------------------------------------------------------------------------------------

    def start(self, child: Child) -> bool:
        """Let the child serve: by a standby, else by a new life; returns whether it does already."""
        life = child.accepted
        if life is None:
            life = self.standbys.heir(child)
            if life is None:
                self.begin(child, standby=False)
                return False
            life.standby, child.incarnation = False, life.incarnation
        if life.status == "starting":
            child.status = "starting"
            return False
        self._promote(child, life)
        return True

    def begin(self, child: Child, *, standby: bool) -> None:
        """Begin a new life."""
        child.last += 1
        where, shared = place(self._s, child, standby=standby), child.plan.shared
        life = Life(child.last, standby=standby, passive=standby, node_id=where, shared=shared)
        child.lives[life.incarnation] = life
        if not standby:
            child.incarnation, child.status, child.role = life.incarnation, "starting", "service"
        self._s.set_timer(self._s.now + child.plan.start_timeout_s, "late", child.plan.key, life.incarnation)
        self._s.emit(
            m.StartChild(key=child.plan.key, incarnation=life.incarnation, standby=standby, node_id=life.node_id)
        )

    def _promote(self, child: Child, life: Life) -> None:
        """A life that stood by serves from now on."""
        child.status = "running"
        child.standby_failures = 0
        life.ready_at = self._s.now
        if child.plan.pool is not None:
            take_place(self._s.pools[child.plan.pool], child)
        self._s.publish()  # first of all: a call that reaches it activates it
        self._s.emit(m.PromoteChild(key=child.plan.key, incarnation=life.incarnation))
        life.passive = False
        self._s.record(child, life, "promoted")
        self.standbys.dismiss_passed_over(child, life.incarnation)
        self._s.set_timer(self._s.now + BREATH_S, "refill", child.plan.key)
        self.standbys.attend(child)

    def on_ready(self, event: m.ChildReady) -> None:
        found = self._s.life(event.key, event.incarnation)
        if found is None or found[1].status != "starting":
            return
        child, life = found
        now = self._s.now
        life.status, life.asked, life.host = "running", False, event.host
        life.ready_at = life.answered_at = now
        self._s.place_life(child, life, event.location)
        self._s.ask_later(child, life, now + child.plan.heartbeat_s * self._s.rng.random())
        self._s.adopting.discard(event.key)
        if life.standby and event.serves:
            self._accept_the_later(child, life)
        if child.status == "stopping":  # it waits until those are over that are to end before it
            self._s.record(child, life, "ready")
            self.stopping.go_on(child, life.expected_exit or "shutdown")
            return
        if life.standby:
            self._s.record(child, life, "ready")
            self._s.publish()
            self.standbys.attend(child)
            self.moving.go(child)
            return
        self._serve(child, life, serves=event.serves)

    def _serve(self, child: Child, life: Life, *, serves: bool) -> None:
        child.status = "running"
        if child.plan.pool is not None:
            take_place(self._s.pools[child.plan.pool], child)
        if not serves:
            self._s.emit(m.PromoteChild(key=child.plan.key, incarnation=life.incarnation))
        life.passive = False
        self._s.record(child, life, "ready")
        self._s.publish()
        self.standbys.refill(child)
        self.standbys.attend(child)
        self.members.started(child.plan.key)

    def _accept_the_later(self, child: Child, life: Life) -> None:
        """A predecessor had promoted it, and could not tell: what it replaced is over."""
        earlier = child.accepted
        life.standby, child.incarnation = False, life.incarnation
        self.standbys.dismiss_passed_over(child, life.incarnation)
        if earlier is not None:
            if child.status == "stopping":
                life.expected_exit = earlier.expected_exit
            self._s.end_life(child, earlier)
            self._s.adopting.discard(child.plan.key)
            self._s.record(child, earlier, "fenced", f"incarnation {life.incarnation} was accepted before")
            self._leave_pool(child)
            self._s.emit(end_of(child, earlier))

    def on_ignored(self, event: m.ChildIgnored) -> None:
        found = self._s.life(event.key, event.incarnation)
        if found is None:
            return
        child, life = found
        self._forget_life(child, life)
        self._s.emit(end_of(child, life))
        if life.status == "stopping":
            self._over_when_all_are(child, life)
        elif not life.standby:
            child.status = "ignored"
            self._s.record(child, life, "ignored")
            self.standbys.dismiss_all(child)
            self._s.publish()
            self.members.started(child.plan.key)

    # -- ending by itself -------------------------------------------------------------------------------------------

    def on_start_failed(self, event: m.ChildStartFailed) -> None:
        found = self._s.life(event.key, event.incarnation)
        if found is not None and found[1].status != "running":
            self.end(*found, "crash", event.error, fence=True, cause=event.cause)

    def on_died(self, event: m.ChildDied) -> None:
        found = self._s.life(event.key, event.incarnation)
        if found is not None:
            found[1].fell_with = event.fell_with
            self.end(*found, found[1].expected_exit or event.exit_class, event.detail, fence=False)
            return
        child = self._s.children.get(event.key)
        if child is not None and child.unexplained == event.incarnation and event.exit_class in OWN_BACKOFFS:
            child.unexplained = 0
            explain(child.in_a_row, event.exit_class)
            self._s.record(child, Life(event.incarnation), "explained", event.detail, event.exit_class)

    def on_process_ended(self, event: m.ProcessEnded) -> None:
        """Nobody waits for the reason, which comes 10 ms later, but a child that may have to pause by it."""
        found = self._s.life(event.key, event.incarnation)
        if found is None:
            return
        child, life = found
        pauses = any(child.in_a_row.get(kind) for kind in OWN_BACKOFFS)
        if pauses and life.status == "running" and not life.expected_exit and not self.standbys.is_ready(child):
            self._s.set_timer(self._s.now + WHY_S, "why", event.key, life.incarnation)
        else:
            self.on_unexplained(child, life)

    def on_unexplained(self, child: Child, life: Life) -> None:
        """Its process is gone, and nobody says why."""
        child.unexplained = life.incarnation
        self.end(child, life, life.expected_exit or "killed", "its process ended", fence=False)

    def on_unhealthy(self, event: m.ChildUnhealthy) -> None:
        found = self._s.life(event.key, event.incarnation)
        if found is not None and found[1].status == "running":
            self.end(*found, "crash", event.detail, fence=True)

    def on_exit_announced(self, event: m.ExitAnnounced) -> None:
        found = self._s.life(event.key, event.incarnation)
        if found is None:
            return
        if found[1].shared:  # its process goes on: nobody else tells of its end
            self._s.emit(end_of(*found))
            self.end(*found, found[1].expected_exit or event.exit_class, "its code ended it", fence=False)
        elif found[1].status != "stopping":
            found[1].expected_exit = event.exit_class

    def on_evidence(self, event: m.EvidenceFound) -> None:
        found = self._s.life(event.key, event.incarnation)
        if found is None or not found[1].asked or not is_heard(found[0].plan, found[1]):
            return
        child, life = found
        ended = weigh(child.plan, life, event.evidence, self._s.now)
        if ended is not None and ended[0] == "hung" and life.status == "stopping":
            self.stopping.on_silent(child, life, ended[1])
        elif ended is not None:
            life.fell_with = life.host
            self.end(child, life, *ended, fence=True)

    def end(
        self,
        child: Child,
        life: Life,
        exit_class: ExitClass,
        detail: str,
        *,
        fence: bool,
        cause: bytes | None = None,
    ) -> None:
        """A life is over: announce it, end what may still run, and see what follows.

        Args:
            child: Whose life it was.
            life: The life.
            exit_class: What kind of end it was.
            detail: What a person should read about it.
            fence: Something of it may still run.
            cause: The pickled exception behind it, if there is one.
        """
        was = life.status
        self._forget_life(child, life)
        if was == "stopping":
            self._s.record(child, life, "stopped", exit_class=exit_class)
            if fence:
                self._s.emit(end_of(child, life))
            self._over(child, life)
            return
        self._s.record(child, life, "fenced" if fence else "died", f"{exit_class}: {detail}", exit_class)
        if not life.standby:
            child.status, child.last_error = "restarting", detail
            self._leave_pool(child)
        # A standby that can step in at once does so before that is announced: callers wait for it.
        steps_in = not fence and not life.standby and self.standbys.is_ready(child)
        if not steps_in:
            self._s.publish()
        if fence:
            self._s.emit(end_of(child, life))
        if life.standby:
            self.standbys.lost(child, life)
        elif was == "starting" and not life.is_adopted:
            self.members.failed_start(child.plan.key, exit_class, detail, cause, life)
        else:
            self.members.died(child.plan.key, exit_class, detail, life)
        self._s.publish()

    def _forget_life(self, child: Child, life: Life) -> None:
        self._s.end_life(child, life)
        if not life.standby:
            self._s.adopting.discard(child.plan.key)

    def _leave_pool(self, child: Child) -> None:
        if child.plan.pool is None:
            return
        heir = leave_place(self._s.pools[child.plan.pool], child)
        if heir is not None:
            successor = self._s.children[heir]
            successor.role = "active"
            self._s.record(successor, successor.accepted, "promoted")

    def _over(self, child: Child, life: Life) -> None:
        if life.expected_exit == "preempted" and child.keep_standbys:
            child.status, child.last_error = "restarting", "its node is about to go"
            self.members.died(child.plan.key, "preempted", child.last_error, life)
        else:
            self._over_when_all_are(child, life)

    def _over_when_all_are(self, child: Child, life: Life) -> None:
        """A life of a child that was asked to end is over."""
        if child.status != "stopping":
            return
        if self.stopping.left(child):
            self.stopping.go_on(child, life.expected_exit or "shutdown")
            return
        child.status = "stopped"
        self._s.publish()
        self.members.ended(child.plan.key)

    # -- adopting ---------------------------------------------------------------------------------------------------

    def adopt(self, child: Child, actor: m.KnownActor, *, standby: bool) -> None:
        """Take over a life that a predecessor began; it may serve for long already, and says so when it answers."""
        now, plan = self._s.now, child.plan
        life = Life(actor.incarnation, standby=standby, passive=standby, location=actor.location, is_adopted=True)
        life.host, life.shared = actor.host, bool(actor.host)
        life.answered_at = life.ready_at = now
        life.asked, life.attended = True, None
        child.lives[life.incarnation] = life
        child.last = max(child.last, life.incarnation)
        self._s.set_timer(now + plan.start_timeout_s, "late", plan.key, life.incarnation)
        # A child that hung while nobody led is found by its silence, like any other.
        self._s.watch(child, life, now + plan.hang_timeout_s)
        if not standby:
            child.incarnation, child.status = life.incarnation, "starting"
            if plan.pool is not None:
                self._s.adopting.add(plan.key)
                self._s.set_timer(now + plan.hang_timeout_s, "adopt", plan.key, life.incarnation)
        self._s.emit(m.AdoptChild(key=plan.key, incarnation=life.incarnation))
