"""Groups work two lists off: members to be ended, then members to be started. Pure.

    waiting -> starting --all up--> running --members to restart--> restarting --all up--> running
                  |                    |                                |
                  +--------------------+----- to be ended --------------+--> stopping --all ended--> stopped | given_up

Members start in order, one at a time, and end in reverse; a pool's do so all at once. Whatever happens meanwhile adds
to the lists. A group that is down has no lists: it comes back by its own start, and its parent decides on that.
"""

from __future__ import annotations

from typing import Protocol

from supervisor import messages as m
from supervisor.supervision.lives import Lives
from supervisor.supervision.state import State
from supervisor.tree import SUBTREE, Group, Outcome, Status, is_group, path_of


class Parents(Protocol):
    """Who is told that a group came to rest: it is up, or it has ended."""

    def __call__(self, group: Group) -> None: ...


class Worklists:
    """Starts and ends members of groups."""

    def __init__(self, state: State, lives: Lives, tell_parent: Parents) -> None:
        self._s = state
        self._lives = lives
        self._tell_parent = tell_parent

    # -- one member -------------------------------------------------------------------------------------------------

    def start(self, member: str) -> bool:
        """Start a child or a group; whether it is up already."""
        if not is_group(member):
            return self._lives.start(self._s.children[member])
        group = self._s.groups[member]
        self.mark(group, "waiting")
        group.status, group.failure, group.cause, group.outcome = "starting", None, None, "stopped"
        group.is_down, group.restarted_at, group.resume_at, group.lost = False, (), 0.0, {}
        group.todo, group.ending, group.begun = self._s.in_order(group, group.members), {}, set()
        return self._advance(group)

    def stop(self, member: str, *, keep_standbys: bool = False) -> bool:
        """Ask a child or a group to end; whether it has already."""
        if not is_group(member):
            return self._lives.stopping.stop(self._s.children[member], keep_standbys=keep_standbys)
        group = self._s.groups[member]
        if group.status == "stopping":  # by itself: from now on because it was asked to
            group.outcome = "stopped"
            return False
        self.begin_to_end(group, "stopped")
        return self._advance(group)

    def begin_to_end(self, group: Group, outcome: Outcome) -> None:
        """From now on the group only ends."""
        group.status, group.outcome = "stopping", outcome
        self._drop_starts(group)
        group.ending = self._s.in_order(group, filter(self._s.is_alive, group.members))
        for member in group.ending:
            if member in group.begun:  # a restart was ending it: its standbys are not kept any more
                self.stop(member)

    # -- the lists --------------------------------------------------------------------------------------------------

    def go_on(self, group: Group) -> None:
        """Work the lists off as far as that goes now, and tell the parent when they are done."""
        if not group.is_down and self._advance(group):
            self._tell_parent(group)

    def _advance(self, group: Group) -> bool:
        """Whether the group is up, or has ended, now that it was not before."""
        while True:
            if group.ending:
                if not self._end_next(group):
                    return False
            elif group.status == "stopping":
                self._has_ended(group)
                return True
            elif group.todo and self._s.is_closing(group):
                self._drop_starts(group)
            elif self._s.now < group.resume_at:
                self._s.set_timer(group.resume_at, "resume", group.plan.path)
                return False
            elif group.todo:
                if not self._start_next(group):
                    return False
            else:
                was_up = group.status == "running"
                group.status = "running"
                group.ready_at = group.ready_at if was_up else self._s.now
                return not was_up

    def _end_next(self, group: Group) -> bool:
        """End the last member; of a pool all at once. Whether there is more to do at once."""
        together = group.plan.ends_together
        for member in list(reversed(group.ending)) if together else [next(reversed(group.ending))]:
            if member in group.begun:
                continue
            group.begun.add(member)
            if self.stop(member, keep_standbys=member in group.todo):
                self.take_off(group, member)
        return not group.ending or (not together and next(reversed(group.ending)) not in group.begun)

    def _start_next(self, group: Group) -> bool:
        """Start the first member; of a pool all at once. Whether there is more to do at once."""
        together = group.plan.starts_together
        for member in list(group.todo) if together else [next(iter(group.todo))]:
            if member in group.begun:
                continue
            group.begun.add(member)
            if self.start(member):
                group.todo.pop(member, None)
                group.begun.discard(member)
        return not group.todo or (not together and next(iter(group.todo)) not in group.begun)

    def _drop_starts(self, group: Group) -> None:
        """What was to start does not; who asked for it hears of that."""
        asked_for = [member for member in group.todo if member in self._s.requested and not self._s.is_alive(member)]
        group.todo.clear()
        group.begun.intersection_update(group.ending)
        for member in asked_for:
            self.set_status(member, "stopped")
            self.end_for_good(member)

    def take_off(self, group: Group, member: str) -> None:
        """A member that was to end has ended: for good, unless it is to be started again."""
        group.ending.pop(member, None)
        group.begun.discard(member)
        if member in group.todo:
            self.reap(member)
            self.set_status(member, "restarting")
        else:
            self.end_for_good(member)

    def end_for_good(self, member: str) -> None:
        """A member has ended: whoever waits for that hears of it, and what nobody needs any more is forgotten."""
        self.reap(member)
        self._s.answer(member, "down")
        self._s.requested.discard(member)
        plan = self._s.groups[member].plan if is_group(member) else self._s.children[member].plan
        if plan.restart == "temporary" or member in self._s.leaving or member in self._s.new:
            self._s.forget(member)

    def _has_ended(self, group: Group) -> None:
        status: Status = "given_up" if group.outcome == "given_up" else "stopped"
        group.is_down = True
        self.mark(group, status)
        group.status = status
        self._s.publish()

    # -- statuses ---------------------------------------------------------------------------------------------------

    def set_status(self, member: str, status: Status) -> None:
        """What a member is to others; a group that waits for a restart waits with all that is in it."""
        if not is_group(member):
            self._s.children[member].status = status
            return
        group = self._s.groups[member]
        group.status = status
        if status == "restarting":
            self.mark(group, status)

    def mark(self, group: Group, status: Status) -> None:
        """Nothing of a group runs: all in it is stopped or given up with it, or waits for a start with it.

        What was ignored or given up says so until it is to start again. Whoever waits for what was to start hears that
        it does not.
        """
        comes_back = status in ("waiting", "restarting")
        kept = () if comes_back else ("ignored", "given_up")
        for member in group.members:
            if not comes_back:
                self._s.answer(member, "down")
            if is_group(member):
                inner = self._s.groups[member]
                if inner.is_down and inner.status not in kept:
                    inner.status = status
                    self.mark(inner, status)
            elif not self._s.children[member].lives:
                if not comes_back:
                    self.reap(member)
                if self._s.children[member].status not in kept:
                    self._s.children[member].status = status

    def reap(self, member: str) -> None:
        """A group with a supervisor of its own has ended as a whole: no next life is to adopt what it may have left."""
        if member.startswith(SUBTREE):
            self._s.emit(m.ReapSubtree(path=path_of(member)))
