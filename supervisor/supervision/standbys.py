"""Standbys: who steps in, and how their number is kept. Pure.

    one too many --> released: the accepted life is told to do without it --it has another keeper--> ended

A standby may be the only one who holds what the last calls left behind. So it stays, and may step in, until the life
that serves has put that elsewhere: otherwise its sudden death in this moment would cost answered calls.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from actors.recovery.backoff import restart_delay_s
from supervisor import messages as m
from supervisor.supervision.orders import end_of
from supervisor.supervision.placing import must_move
from supervisor.supervision.state import State
from supervisor.tree import Child, ChildPlan, Life

ATTEND_AGAIN_S = 1.0
"""How long after a standby could not be given the state, or let go, the accepted life is asked again, seconds."""


class Begin(Protocol):
    """Begins a new life of a child."""

    def __call__(self, child: Child, *, standby: bool) -> None: ...


class Standbys:
    """Keeps as many lives ready as a child's plan wants."""

    def __init__(self, state: State, begin: Begin) -> None:
        self._s = state
        self._begin = begin
        self._released: set[tuple[str, int]] = set()

    def heir(self, child: Child) -> Life | None:
        """Who steps in, if there is one; see `in_turn`."""
        return next(iter(self.in_turn(child)), None)

    def in_turn(self, child: Child) -> list[Life]:
        """Who steps in, the oldest first, but rather one that is ready, that has the state, whose node stays."""

        def price(life: Life) -> tuple[bool, bool, bool, int]:
            lacks_state = life.in_step_of != child.incarnation
            return (life.status != "running", lacks_state, self._is_leaving(life), life.incarnation)

        return sorted(child.standbys(), key=price)

    def is_ready(self, child: Child) -> bool:
        """Whether somebody can step in at once."""
        return any(life.status == "running" for life in child.standbys())

    def heir_elsewhere(self, child: Child) -> Life | None:
        """A standby that is ready on a node which stays."""
        ready = (life for life in child.standbys() if life.status == "running" and not self._is_leaving(life))
        return next(ready, None)

    def _is_leaving(self, life: Life) -> bool:
        return life.location is not None and life.location.node_id in self._s.draining

    def on_due(self, child: Child) -> None:
        """Bring their number right, and ask for what was asked for without an answer."""
        if self._waits(child) and child.accepted is not None:
            child.accepted.attended = None
            self._s.set_timer(self._s.now + ATTEND_AGAIN_S, "refill", child.plan.key)
        self.refill(child)
        self.attend(child)

    def refill(self, child: Child) -> None:
        """Begin as many standbys as are missing; end those that are too many, the youngest first."""
        if child.status != "running" or self._s.stopping:
            return
        standbys = [life for life in child.standbys() if not self._is_released(child, life)]
        wanted = max(child.plan.standbys, must_move(self._s, child))
        for _ in range(wanted - len(standbys)):
            self._begin(child, standby=True)
        surplus = sorted(standbys, key=lambda life: (self._is_leaving(life), life.incarnation))[wanted:]
        if surplus:
            self.release(child, surplus)

    def release(self, child: Child, lives: Iterable[Life]) -> None:
        """End these standbys as soon as nothing is lost with them."""
        accepted = child.accepted
        has_state = child.plan.concern == "child" and accepted is not None and accepted.status == "running"
        for life in lives:
            if has_state and (life.status == "running" or life.is_adopted):
                self._released.add((child.plan.key, life.incarnation))
            else:
                self.dismiss(child, life)
        if self._waits(child):
            self._s.set_timer(self._s.now + ATTEND_AGAIN_S, "refill", child.plan.key)
        self.attend(child)

    def _is_released(self, child: Child, life: Life) -> bool:
        return (child.plan.key, life.incarnation) in self._released

    def _waits(self, child: Child) -> bool:
        """Whether a standby is to end as soon as the accepted life can do without it."""
        return any(self._is_released(child, life) for life in child.standbys())

    def follow(self, child: Child, plan: ChildPlan) -> bool:
        """Go by a changed plan. What stands by of the earlier spec goes: the next start is one of the new spec.

        Returns: Whether the child itself stands by in its pool, and so has to be made anew as well.
        """
        is_other = plan.fingerprint != child.plan.fingerprint
        child.plan = plan
        if not is_other:
            return False
        child.current_from = child.last + 1
        self.dismiss_all(child)
        return child.role == "standby" and child.status == "running"

    def dismiss_passed_over(self, child: Child, accepted: int) -> None:
        """End the standbys with lower numbers than the life that is accepted: no earlier one is accepted after it."""
        for life in child.standbys():
            if life.incarnation < accepted:
                self.dismiss(child, life)

    def dismiss_all(self, child: Child) -> None:
        """End all standbys: there is nobody to stand by for, or none of them may."""
        for life in child.standbys():
            self.dismiss(child, life)

    def dismiss(self, child: Child, life: Life) -> None:
        """End a standby that is not needed any more; it has nothing to finish."""
        self._released.discard((child.plan.key, life.incarnation))
        self._s.end_life(child, life)
        self._s.record(child, life, "stopped")
        self._s.publish()
        self._s.emit(end_of(child, life))

    def lost(self, child: Child, life: Life) -> None:
        """A standby ended: another one follows, after a pause if that happens again and again."""
        backoff = self._s.parent_of(child.plan.key).plan.backoff
        if life.status == "running" and self._s.now - life.ready_at >= backoff.reset_after_s:
            child.standby_failures = 0
        delay_s = restart_delay_s(
            restarts=child.standby_failures,
            min_s=backoff.min_s,
            max_s=backoff.max_s,
            jitter=backoff.jitter,
            rng=self._s.rng,
        )
        child.standby_failures += 1
        self.attend(child)
        self._s.set_timer(self._s.now + delay_s, "refill", child.plan.key)

    def on_attended(self, event: m.StandbysAttended) -> None:
        """Standbys hold the state of the accepted life: they are announced. Of the others it is asked again.

        It can do without those that it was not told of.
        """
        found = self._s.life(event.key, event.incarnation)
        if found is None or found[1] is not found[0].accepted:
            return
        child, accepted = found
        if accepted.attended is not None and not set(accepted.attended) <= set(event.standbys):
            accepted.attended = event.standbys
            self._s.set_timer(self._s.now + ATTEND_AGAIN_S, "refill", child.plan.key)
        for life in child.standbys():
            if self._is_released(child, life) and life.incarnation not in event.told:
                self.dismiss(child, life)
            elif life.incarnation in event.standbys and life.in_step_of != event.incarnation:
                life.in_step_of = event.incarnation
                self._s.publish()

    def attend(self, child: Child) -> None:
        """Tell the accepted life who stands by for it, if that has changed."""
        life = child.accepted
        if life is None or life.status != "running" or child.plan.concern != "child":
            return
        staying = (standby for standby in child.standbys() if not self._is_released(child, standby))
        ready = tuple(standby.incarnation for standby in staying if standby.status == "running")
        unknown = life.attended is None and not child.plan.standbys and not self._waits(child)
        if ready != (() if unknown else life.attended):
            life.attended = ready
            self._s.emit(m.AttendStandbys(key=child.plan.key, incarnation=life.incarnation, standbys=ready))
