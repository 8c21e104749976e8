"""The supervisor's decisions: events in, commands out. Pure: it knows neither Ray nor a clock.

    cluster's news -> lives of a child --started, failed, ended, died--> groups --start, stop--> lives -> commands
    people's requests ---------------------------------------------------^ |
                                                                           +--over the intensity--> the group above

The tree is groups of children and groups. What follows from an event is decided in layers, each in a file of its own
with its state diagram: the lives of a child (`lives`, `standbys`, `moving`, `lateness`, `listening`), the groups that
they are members of (`worklists`, `groups`, `restarting`), and what comes from outside: people's requests
(`administration`), nodes (`nodes`), and a predecessor's children (`adoption`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, assert_never

from supervisor import messages as m
from supervisor.supervision.administration import Administration
from supervisor.supervision.adoption import Adoption
from supervisor.supervision.groups import Groups
from supervisor.supervision.invariants import broken
from supervisor.supervision.ledger import Ledger, numbers_of, read_ledger, write_ledger
from supervisor.supervision.listening import Listening
from supervisor.supervision.lives import Lives
from supervisor.supervision.nodes import Nodes
from supervisor.supervision.state import LifeTimerKind, State, Subject, TimerKind
from supervisor.supervision.view import build_view
from supervisor.tree import TOP, Child, ChildPlan, ExitClass, GroupPlan, Life, Status, is_group

if TYPE_CHECKING:
    from random import Random

    from actors.runtime.timers import Timer


class SupervisorMachine:
    """One supervisor incarnation's tree.

    Args:
        supervisor: The supervisor's name.
        incarnation: Its number.
        groups: What the configuration asks for: the top first, an outer group before those in it.
        children: The same.
        order: Keys and paths in the order of their start; left out, a group's groups start before its children.
        rng: The source of chance.
        ledger: The tree that a predecessor left, if there was one.
        now: The moment, monotonic seconds.
    """

    def __init__(  # noqa: PLR0913 - each a thing of its own
        self,
        *,
        supervisor: str,
        incarnation: int,
        groups: Sequence[GroupPlan],
        children: Sequence[ChildPlan],
        order: Sequence[str] = (),
        rng: Random,
        ledger: Ledger | None = None,
        now: float = 0.0,
    ) -> None:
        state = self._s = State(supervisor, incarnation, rng)
        state.now = now
        for group in groups:
            state.add_group(group)
        for child in children:
            state.add_child(child)
        state.arrange(order)
        self._ends = {} if ledger is None else read_ledger(state, ledger)
        self._lives = Lives(state)
        self._groups = Groups(state, self._lives)
        self._listening = Listening(state)
        self._nodes = Nodes(state, self._groups, self._lives)
        self._adoption = Adoption(state, self._groups, self._lives)
        self._administration = Administration(state, self._groups, self._lives, ledger or Ledger())

    def handle(self, event: m.Event, now: float) -> list[m.Command]:
        """What follows from `event` at `now`, monotonic seconds; in the order to be carried out."""
        self._s.now = now
        self._dispatch(event)
        commands = self._s.take_commands()
        for command in commands:
            if isinstance(command, m.Answer):
                self._administration.note(command)
        return commands

    def remember_numbers(self, left: Ledger) -> None:
        """A subtree left the tree: those of its names that come again count on from the lives that they had there."""
        self._s.floor = max(self._s.floor, left.floor)
        for key, last in numbers_of(left):
            self._s.remember_number(key, last)

    def _dispatch(self, event: m.Event) -> None:  # noqa: C901, PLR0912 - one branch per event, closed
        match event:
            case m.LeaderStarted():
                self._nodes.learn(event.nodes)
                self._adoption.take_over(event, self._ends)
            case m.ChildReady():
                self._lives.on_ready(event)
            case m.ChildIgnored():
                self._lives.on_ignored(event)
            case m.ChildStartFailed():
                self._lives.on_start_failed(event)
            case m.ChildDied():
                self._lives.on_died(event)
            case m.ProcessEnded():
                self._lives.on_process_ended(event)
            case m.ChildUnhealthy():
                self._lives.on_unhealthy(event)
            case m.StandbysAttended():
                self._lives.standbys.on_attended(event)
            case m.StopAnswered():
                self._lives.stopping.on_answered(event)
            case m.HeartbeatAnswered():
                self._listening.on_heartbeat(event)
            case m.EvidenceFound():
                self._lives.on_evidence(event)
            case m.RoomSeen():
                self._lives.lateness.on_room_seen(event)
            case m.ExitAnnounced():
                self._lives.on_exit_announced(event)
            case m.NodesSeen():
                self._nodes.on_seen(event)
            case m.Administered():
                self._administration.handle(event)
            case m.ShutdownRequested():
                self._on_shutdown()
            case m.TimePassed():
                self._on_time()
            case _:
                assert_never(event)

    def next_timer(self) -> float | None:
        """When `TimePassed` is due, monotonic seconds, or None."""
        return self._s.timers.next_at()

    def view(self) -> m.ClusterView:
        """What callers are told."""
        return build_view(self._s)

    def ledger(self) -> Ledger:
        """What a successor must know."""
        return write_ledger(self._s, self._administration.done())

    def broken(self) -> list[str]:
        """What does not hold of the tree, for people; see `invariants`."""
        return broken(self._s)

    def plan_of(self, key: str) -> ChildPlan | None:
        """What a child is to be; None for one that was forgotten."""
        child = self._s.children.get(key)
        return None if child is None else child.plan

    def groups_of(self, key: str) -> tuple[GroupPlan, ...]:
        """The groups that a child is in, the outermost first."""
        found: list[GroupPlan] = []
        child = self._s.children.get(key)
        path = None if child is None else child.plan.group
        while path is not None and path in self._s.groups:
            found.append(self._s.groups[path].plan)
            path = found[-1].parent
        return tuple(reversed(found))

    def status_of(self, member: str) -> Status | None:
        """What a child or a group is doing; None for one that was forgotten."""
        if is_group(member):
            group = self._s.groups.get(member)
            return None if group is None else group.status
        child = self._s.children.get(member)
        return None if child is None else child.status

    def has_life(self, key: str, incarnation: int) -> bool:
        """Whether a child has this life, and it is not over."""
        return self._s.life(key, incarnation) is not None

    @property
    def ending(self) -> tuple[ExitClass, str]:
        """What the end of the whole tree is to whoever supervises that, and why."""
        top = self._s.groups[TOP]
        match top.outcome:
            case "failed_start":
                return "crash", top.failure or ""
            case "finished" | "given_up":
                return "shutdown", top.failure or "its significant children ended"
            case "stopped":
                return "shutdown", ""
            case _:
                assert_never(top.outcome)

    def _on_shutdown(self) -> None:
        """Everything ends in reverse order of its start; the log outlives the rest, so that it hears of their end."""
        if self._s.stopping:
            return
        self._s.stopping = True
        self._s.adopting.clear()
        self._s.publish()
        if self._groups.stop(TOP):
            self._s.emit(m.Finish())

    # -- time -------------------------------------------------------------------------------------------------------

    def _on_time(self) -> None:
        now = self._s.now
        due = self._s.timers.next_at()
        if due is not None and now - due > self._s.blind_s:
            self._listening.listen_anew()
        while (timer := self._s.timers.take_due(now)) is not None:
            self._on_timer(timer)

    def _on_timer(self, timer: Timer[TimerKind, Subject]) -> None:
        member, incarnation = timer.subject
        kind = timer.kind
        match kind:
            case "start":
                if member in self._s.children or member in self._s.groups:
                    self._groups.on_start_due(member)
            case "refill":
                if member in self._s.children:
                    self._lives.standbys.on_due(self._s.children[member])
            case "resume":
                if member in self._s.groups:
                    self._groups.on_resume(self._s.groups[member])
            case _:
                found = self._s.life(member, incarnation)
                if found is not None:
                    self._on_timer_of_life(kind, *found)

    def _on_timer_of_life(self, kind: LifeTimerKind, child: Child, life: Life) -> None:
        match kind:
            case "heartbeat":
                self._listening.ask(child, life)
            case "suspect":
                self._listening.look(child, life)
            case "late":
                self._lives.lateness.on_late(child, life)
            case "adopt":
                self._cease_waiting(child)
            case "kill":
                self._lives.stopping.on_patience_over(child, life)
            case "gone":
                self._lives.stopping.on_gone(child, life)
            case "why":
                self._lives.on_unexplained(child, life)
            case _:
                assert_never(kind)

    def _cease_waiting(self, child: Child) -> None:
        """A worker that stays silent holds the announcement of the others up no longer."""
        if child.plan.key in self._s.adopting:
            self._s.adopting.remove(child.plan.key)
            self._s.publish()
