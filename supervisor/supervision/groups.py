"""Groups: what a member's start, failure or end means for its siblings and for the group. Pure.

    a member ended --not restarted--> it stays away; the last significant one ends the group
         |
         +--restarted--> within the intensity: alone, or with the siblings that the strategy names, after a pause
                  |
                  +--over the intensity--> the group ends with all its members, and its parent decides

To its parent a group is a member like any other: it starts, fails to start, ends or dies. How its lists are worked off
stands in `worklists`.
"""

from __future__ import annotations

from collections import OrderedDict

from supervisor import messages as m
from supervisor.supervision.lives import Lives
from supervisor.supervision.restarting import ASKED_FOR, concerned, count_restart, is_restarted, pause_s
from supervisor.supervision.state import State
from supervisor.supervision.worklists import Worklists
from supervisor.tree import LIVING, POOLS, ROOT, SYSTEM, TOP, Child, ExitClass, Group, Life, Outcome, is_group


class Groups:
    """Decides for the members of groups; see `Members` in `lives` for what it is told."""

    def __init__(self, state: State, lives: Lives) -> None:
        self._s = state
        self._lives = lives
        self._work = Worklists(state, lives, self._tell_parent)
        lives.members = self

    def start(self, member: str) -> bool:
        """Start a child or a group; whether it is up already."""
        return self._work.start(member)

    def stop(self, member: str) -> bool:
        """Ask a child or a group to end; whether it has already."""
        return self._work.stop(member)

    def end_all(self, group: Group, outcome: Outcome) -> None:
        """End a group by itself; its parent is told when it has."""
        self._work.begin_to_end(group, outcome)
        self._work.go_on(group)

    def start_missing(self, group: Group) -> None:
        """Start those children of a running group that a predecessor did not come to start, or to start again."""
        if self._s.is_closing(group):
            return
        children = (self._s.children[member] for member in group.members if not is_group(member))
        missing = [
            child.plan.key for child in children if child.accepted is None and child.status in ("waiting", "restarting")
        ]
        if group.plan.strategy == "one_for_one":  # independent of each other: nobody waits
            for member in missing:
                self.start(member)
        elif missing:
            group.todo = self._s.in_order(group, missing)
            group.status = "restarting"
            self._work.go_on(group)

    def _member(self, member: str) -> Child | Group:
        return self._s.groups[member] if is_group(member) else self._s.children[member]

    # -- a group came to rest ---------------------------------------------------------------------------------------

    def _tell_parent(self, group: Group) -> None:
        path = group.plan.path
        if path == TOP:
            if group.is_down:
                self._s.emit(m.Finish())
        elif not group.is_down:
            self.started(path)
        elif group.outcome == "stopped":
            self.ended(path)
        elif path in (SYSTEM, ROOT) or path.startswith(POOLS):
            self._escalate(group)
        elif group.plan.parent == TOP and SYSTEM not in self._s.groups:
            self._end_with(group)
        elif group.outcome == "failed_start" or path in self._s.requested:  # a new pool may never have come up at all
            self.failed_start(path, "crash", group.failure or "", group.cause, None)
        else:
            self.died(path, "shutdown", group.failure or "its significant children ended", None)

    def _escalate(self, group: Group) -> None:
        """Nobody above takes over: it is told, and stays visible as failed."""
        path = group.plan.path
        if self._s.groups[TOP].status == "stopping":
            self.ended(path)
            return
        group.status = "given_up"
        self._s.emit(m.Escalate(group=path, reason=group.failure or ""))
        self._s.refuse(path, "start_failed", group.failure or "", group.cause)
        self._s.publish()
        self.started(path)  # the top goes on with the others

    def _end_with(self, group: Group) -> None:
        """A subtree's own group has ended by itself: so does the subtree, and whoever supervises that decides."""
        top = self._s.groups[TOP]
        top.failure = group.failure
        if top.status == "stopping":
            self.ended(group.plan.path)
        else:
            self.end_all(top, group.outcome)

    # -- what members report ----------------------------------------------------------------------------------------

    def started(self, member: str) -> None:
        """A member is up."""
        group = self._s.parent_of(member)
        self._s.new.discard(member)
        self._s.requested.discard(member)
        self._s.answer(member, "up")
        group.todo.pop(member, None)
        group.begun.discard(member)
        child = self._member(member)
        if child.status == "ignored" and child.plan.restart == "temporary":
            self._s.forget(member)
        self._work.go_on(group)

    def failed_start(
        self, member: str, exit_class: ExitClass, error: str, cause: bytes | None, life: Life | None
    ) -> None:
        """A member did not come up: of one that was restarted that is tried again, whatever its exit was."""
        group = self._s.parent_of(member)
        if group.status == "stopping" or member in group.ending:
            self._went_meanwhile(group, member)
        elif member in self._s.requested:
            self._refuse(group, member, error, cause)
        elif group.status == "starting" and member in group.todo and self._fails_with(group, life):
            group.failure, group.cause = f"{member}: {error}", cause
            self.end_all(group, "failed_start")
        elif self._member(member).plan.restart == "temporary" or _is_of_a_lost_node(member, exit_class):
            self._stays_away(group, member)
        elif self._s.is_closing(group):
            self._stays_away(group, member)
        else:
            self._went(member, "crash" if exit_class in ("normal", "shutdown") else exit_class, error, life, 0.0)

    def _fails_with(self, group: Group, life: Life | None) -> bool:
        """Whether the start of a group has failed with that of a member.

        Those who start together are tried again; but somebody who waits for all of them is told that one does not come.
        """
        if not group.plan.starts_together:
            return True
        path = group.plan.path
        while path not in self._s.requested and (above := self._s.groups[path].plan.parent) is not None:
            path = above
        return life is not None and life.is_late and path in self._s.requested

    def _refuse(self, group: Group, member: str, error: str, cause: bytes | None) -> None:
        """Who asked for it is told; a new member leaves nothing behind, an old one keeps its place."""
        self._s.refuse(member, "start_failed", error, cause)
        self._s.requested.discard(member)
        self._work.set_status(member, "stopped")
        self._drop_standbys(member)
        group.todo.pop(member, None)
        group.begun.discard(member)
        if member in self._s.new or self._member(member).plan.restart == "temporary":
            self._s.forget(member)
        self._s.publish()
        self._work.go_on(group)

    def ended(self, member: str) -> None:
        """A member was asked to end, and has."""
        group = self._s.parent_of(member)
        if member in group.ending:
            self._work.take_off(group, member)
        else:
            self._work.set_status(member, "stopped")
            group.todo.pop(member, None)
            group.begun.discard(member)
            self._work.end_for_good(member)
        self._s.publish()
        self._work.go_on(group)

    def died(self, member: str, exit_class: ExitClass, detail: str, life: Life | None) -> None:
        """A member ended by itself."""
        group = self._s.parent_of(member)
        if group.status == "stopping" or member in group.ending:
            self._went_meanwhile(group, member)
            return
        restarted = is_restarted(self._member(member).plan.restart, exit_class)
        if restarted and not _is_of_a_lost_node(member, exit_class) and not self._s.is_closing(group):
            if exit_class in ASKED_FOR:
                self._work.reap(member)
            ready_at = life.ready_at if life is not None else self._s.groups[member].ready_at
            self._went(member, exit_class, detail, life, self._s.now - ready_at)
        else:
            self._stays_away(group, member)

    def _went_meanwhile(self, group: Group, member: str) -> None:
        """A member that was to be ended went by itself; its standbys have to go, too."""
        if is_group(member) or self._lives.stopping.stop(self._s.children[member], keep_standbys=member in group.todo):
            self.ended(member)

    def _stays_away(self, group: Group, member: str) -> None:
        """It is not restarted; if it was significant, its group may end with it."""
        known = self._member(member)
        significant = isinstance(known, Child) and known.plan.significant
        if known.status != "given_up":
            self._work.set_status(member, "stopped")
        self._drop_standbys(member)
        group.todo.pop(member, None)
        group.begun.discard(member)
        self._work.end_for_good(member)
        self._s.publish()
        if significant and self._is_over(group):
            self._work.begin_to_end(group, "finished")
        self._work.go_on(group)

    def _is_over(self, group: Group) -> bool:
        if group.plan.auto_shutdown != "all_significant":
            return group.plan.auto_shutdown == "any_significant"
        others = (self._s.children[member] for member in group.members if not is_group(member))
        return not any(
            child.plan.significant and (child.status in (*LIVING, "restarting") or child.plan.key in group.todo)
            for child in others
        )

    def _drop_standbys(self, member: str) -> None:
        if not is_group(member):
            self._lives.standbys.dismiss_all(self._s.children[member])

    # -- restarting -------------------------------------------------------------------------------------------------

    def _went(self, member: str, exit_class: ExitClass, detail: str, life: Life | None, healthy_s: float) -> None:
        """A member is to come back: at once, after a pause, or not at all because that happened too often."""
        group = self._s.parent_of(member)
        if not count_restart(group, exit_class, life, self._s.now):
            self._give_up(group, f"{member}: {detail}")
            return
        known = self._member(member)
        delay_s = pause_s(group, known.in_a_row, exit_class, healthy_s=healthy_s, rng=self._s.rng)
        self._note_restart(group, member, exit_class, detail, delay_s)
        self._work.set_status(member, "restarting")
        if group.plan.strategy == "one_for_one" or group.plan.starts_together:
            self._restart_alone(member, delay_s)
        else:
            self._restart_with_others(group, member, delay_s)

    def _note_restart(self, group: Group, member: str, exit_class: ExitClass, detail: str, delay_s: float) -> None:
        known = self._member(member)
        known.restarts += 1
        if isinstance(known, Group):
            came_from, goes_to = known.restarts, known.restarts + 1
        else:
            heir = self._lives.standbys.heir(known)
            came_from, goes_to = known.incarnation, known.last + 1 if heir is None else heir.incarnation
        self._s.emit(
            m.RecordRestart(
                key=member,
                from_incarnation=came_from,
                to_incarnation=goes_to,
                exit_class=exit_class,
                reason=detail,
                group=group.plan.path,
                delay_ms=int(delay_s * 1000),
            )
        )

    def _restart_alone(self, member: str, delay_s: float) -> None:
        known = self._member(member)
        known.due_at = self._s.now + delay_s
        if delay_s > 0 and not (isinstance(known, Child) and self._lives.standbys.is_ready(known)):
            self._s.set_timer(known.due_at, "start", member)
        elif self.start(member):
            self.started(member)

    def replace(self, member: str) -> None:
        """One that lives is ended in order, and started again: somebody wants that."""
        group = self._s.parent_of(member)
        group.todo = self._together(group, group.todo, [member])
        group.ending = self._together(group, group.ending, [member])
        group.begun.discard(member)
        if group.status == "running":
            group.status = "restarting"
        self._work.go_on(group)

    def _restart_with_others(self, group: Group, member: str, delay_s: float) -> None:
        whom = concerned(group, member)
        back = [other for other in whom if other == member or self._comes_back(other)]
        group.todo = self._together(group, group.todo, back)
        alive = [other for other in whom if other != member and self._s.is_alive(other)]
        for other in back:
            if not self._s.is_alive(other):
                self._work.set_status(other, "restarting")
                if other != member:
                    self._work.reap(other)
        group.begun.intersection_update(group.ending)
        group.ending = self._together(group, group.ending, alive)
        group.resume_at = max(group.resume_at, self._s.now + delay_s)
        if group.status == "running":
            group.status = "restarting"
        self._work.go_on(group)

    def _comes_back(self, member: str) -> bool:
        """Whether a member is started again with its siblings: not if somebody waits for its end."""
        return self._member(member).plan.restart != "temporary" and not self._s.is_to_end(member)

    def _together(self, group: Group, some: dict[str, None], others: list[str]) -> dict[str, None]:
        """Both in order; those others are already, and mostly there are no more."""
        return self._s.in_order(group, (*some, *others)) if some else OrderedDict.fromkeys(others)

    def on_start_due(self, member: str) -> None:
        """The pause of a member that restarts alone is over, unless it was ended and restarts anew by now."""
        group, known = self._s.parent_of(member), self._member(member)
        if known.status != "restarting" or self._s.now < known.due_at:
            return
        if not (group.is_down or group.status == "stopping" or member in group.ending or self._s.is_closing(group)):
            if self.start(member):
                self.started(member)

    def on_resume(self, group: Group) -> None:
        """The pause of a group's restart is over."""
        if group.status in ("starting", "restarting"):
            self._work.go_on(group)

    def _give_up(self, group: Group, reason: str) -> None:
        """Over the intensity: all its members end, then its parent decides."""
        group.failure = reason
        for member in reversed(group.members):
            if not is_group(member):
                child = self._s.children[member]
                self._s.record(child, child.accepted, "given_up", reason)
                if not child.lives:
                    child.status = "given_up"
        self._s.publish()
        self.end_all(group, "given_up")


def _is_of_a_lost_node(member: str, exit_class: ExitClass) -> bool:
    """A node's agent is not waited for when its node is gone."""
    return exit_class == "node_lost" and member.startswith("node_agent/")
