"""What the parts of the supervisor machine share: the tree, its timers, and the commands of the event at hand. Pure."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

from actors.runtime.timers import Timer, Timers
from supervisor import messages as m
from supervisor.requests import Problem
from supervisor.supervision.orders import record_of
from supervisor.tree import SYSTEM, TOP, Child, ChildPlan, ExitClass, Group, GroupPlan, Life, Location, Pool, is_group

if TYPE_CHECKING:
    from random import Random

LifeTimerKind = Literal["heartbeat", "suspect", "late", "adopt", "kill", "gone", "why"]
TimerKind = Literal[LifeTimerKind, "start", "refill", "resume"]

Wanted = Literal["up", "down"]
"""What somebody who asked waits for: that a member is up, or that it has ended."""

Subject = tuple[str, int]
"""A member and, where one life of it is meant, its incarnation; else 0."""

NUMBERS_KEPT = 1000
"""Forgotten children whose last incarnation is remembered each; see `State.floor`."""


class State:
    """The tree of one supervisor incarnation, and the moment.

    Attributes:
        lives_on: The lives that answered from each node, the oldest first.
        lives_in: Those that answered from each actor that hosts several.
        adopting: Pool members that are being adopted; nothing is announced before they are.
        waiting: Who waits for news of a member.
        requested: Members whose present start somebody asked for: its failure is an answer, not an end to be mended.
        new: Those of them that leave nothing behind if it fails.
        leaving: Members of a pool that has become smaller.
        numbers: The last incarnation of children that were forgotten: no number of a key is used again.
        floor: The highest one of those that are not in `numbers` any more.
        blind_s: A delay of this process that may have made it miss an answer, seconds.
    """

    def __init__(self, supervisor: str, incarnation: int, rng: Random) -> None:
        self.supervisor = supervisor
        self.incarnation = incarnation
        self.rng = rng
        self.now = 0.0
        self.children: dict[str, Child] = {}
        self.groups: dict[str, Group] = {}
        self.pools: dict[str, Pool] = {}
        self.nodes: tuple[str, ...] = ()
        self.draining: frozenset[str] = frozenset()
        self.lives_on: defaultdict[str, dict[Subject, None]] = defaultdict(dict)
        self.lives_in: defaultdict[str, dict[Subject, None]] = defaultdict(dict)
        self.adopting: set[str] = set()
        self.waiting: dict[str, list[tuple[str, Wanted]]] = {}
        self.requested: set[str] = set()
        self.new: set[str] = set()
        self.leaving: set[str] = set()
        self.numbers: OrderedDict[str, int] = OrderedDict()
        self.floor = 0
        self.blind_s = ChildPlan(key="").look_s
        self.stopping = False
        self.timers: Timers[TimerKind, Subject] = Timers(self.means_something)
        self._out: list[m.Command] = []
        self._announces = False

    # -- the tree ---------------------------------------------------------------------------------------------------

    def add_group(self, plan: GroupPlan) -> Group:
        """Put a group at the end of its parent's."""
        group = self.groups[plan.path] = Group(plan)
        if plan.parent is not None:
            self.groups[plan.parent].members[plan.path] = None
        if plan.pool_size is not None:
            self.pools[plan.path] = Pool(plan.path, plan.pool_size)
        return group

    def add_child(self, plan: ChildPlan) -> Child:
        """Put a child at the end of its group's."""
        child = self.children[plan.key] = Child(plan, last=self.numbers.pop(plan.key, self.floor))
        self.blind_s = min(self.blind_s, plan.look_s)
        self.groups[plan.group].members[plan.key] = None
        if plan.pool is not None:
            self.pools[plan.pool].members[plan.key] = None
        return child

    def forget(self, member: str) -> None:
        """Take a member out that has ended, with all that is in it; whoever waited for a start of it hears of that."""
        self.answer(member, "down")
        if is_group(member):
            group = self.groups.pop(member)
            for inner in list(group.members):
                self.forget(inner)
            self.pools.pop(member, None)
            parent = group.plan.parent
        else:
            child = self.children.pop(member)
            if child.plan.recipe is not None:
                self.record(child, None, "deleted")
                self.emit(m.ForgetChild(plan=child.plan))
            self.remember_number(member, child.last)
            if child.plan.pool is not None and child.plan.pool in self.pools:
                self.pools[child.plan.pool].members.pop(member, None)
            parent = child.plan.group
        if parent in self.groups:
            above = self.groups[parent]
            above.members.pop(member, None)
            above.todo.pop(member, None)
            above.ending.pop(member, None)
            above.begun.discard(member)
        self.requested.discard(member)
        self.new.discard(member)
        self.leaving.discard(member)

    def remember_number(self, key: str, last: int) -> None:
        """A child that is not in the tree had this incarnation last; a later child of its name counts on."""
        if not last:
            return
        self.numbers[key] = max(last, self.numbers.pop(key, 0))
        if len(self.numbers) > NUMBERS_KEPT:
            self.floor = max(self.floor, self.numbers.popitem(last=False)[1])

    def arrange(self, order: Sequence[str]) -> None:
        """Bring the members named in `order` into it, each group's on the places that they have among the others."""
        wanted: dict[str, list[str]] = {}
        for member in order:
            if member in self.children or (member in self.groups and member != TOP):
                wanted.setdefault(self.parent_of(member).plan.path, []).append(member)
        for path, members in wanted.items():
            named, following = set(members), iter(members)
            group = self.groups[path]
            group.members = {next(following) if each in named else each: None for each in group.members}

    def parent_of(self, member: str) -> Group:
        """The group that a member is in."""
        if is_group(member):
            return self.groups[self.groups[member].plan.parent or TOP]
        return self.groups[self.children[member].plan.group]

    def is_alive(self, member: str) -> bool:
        """Whether something of a member runs, comes up or is about to end."""
        if is_group(member):
            return not self.groups[member].is_down
        return bool(self.children[member].lives)

    def is_closing(self, group: Group) -> bool:
        """Whether nothing starts in a group any more. The log writer is there to the end, and so hears of it."""
        return self.stopping and group.plan.path not in (TOP, SYSTEM)

    def life(self, key: str, incarnation: int) -> tuple[Child, Life] | None:
        """A child and the life that news is about; None for a life that is over: its news is not applied."""
        child = self.children.get(key)
        life = None if child is None else child.lives.get(incarnation)
        return None if child is None or life is None else (child, life)

    def place_life(self, child: Child, life: Life, where: Location) -> None:
        """A life answered from there."""
        life.location, life.is_placed = where, True
        self.lives_on[where.node_id][child.plan.key, life.incarnation] = None
        if life.host:
            self.lives_in[life.host][child.plan.key, life.incarnation] = None

    def end_life(self, child: Child, life: Life) -> None:
        """A life is over."""
        del child.lives[life.incarnation]
        if life.location is not None and life.is_placed:
            subject = (child.plan.key, life.incarnation)
            _leave(self.lives_on, life.location.node_id, subject)
            if life.host:
                _leave(self.lives_in, life.host, subject)

    def children_on(self, nodes: Iterable[str]) -> list[Child]:
        """The children that have a life on one of these nodes."""
        keys = dict.fromkeys(key for node in nodes for key, _ in self.lives_on.get(node, ()))
        return [self.children[key] for key in keys]

    # -- timers -----------------------------------------------------------------------------------------------------

    def set_timer(self, when: float, kind: TimerKind, member: str, incarnation: int = 0) -> None:
        """Look at a member, or at one life of it, again at `when`, monotonic seconds."""
        self.timers.set(when, kind, (member, incarnation))

    def ask_later(self, child: Child, life: Life, when: float) -> None:
        """Ask a life whether it lives at `when`, monotonic seconds, and not before: earlier timers mean nothing."""
        life.ask_at = when
        self.set_timer(when, "heartbeat", child.plan.key, life.incarnation)

    def watch(self, child: Child, life: Life, when: float) -> None:
        """Judge a life's silence at `when`, monotonic seconds; if it is to be judged before that, again after that.

        One timer a life: most of those who are asked answer, and to set one at each question would be their price.
        """
        if not life.suspect_at or when < life.suspect_at:
            life.suspect_at = when
            self.set_timer(when, "suspect", child.plan.key, life.incarnation)

    def means_something(self, timer: Timer[TimerKind, Subject]) -> bool:
        """Whether what a timer was set for is still there."""
        member, incarnation = timer.subject
        if incarnation:
            return self.life(member, incarnation) is not None
        return member in self.children or member in self.groups

    # -- commands ---------------------------------------------------------------------------------------------------

    def emit(self, *commands: m.Command) -> None:
        """Have these carried out, after those before."""
        self._out.extend(commands)

    def publish(self) -> None:
        """Announce the view, but not while workers are being adopted: a view without them would fence them.

        Once for each event: commands are carried out when all is decided, so that the first shows what the last would.
        """
        if not self.adopting and not self._announces:
            self._announces = True
            self._out.append(m.Publish())

    def record(
        self, child: Child, life: Life | None, event: str, detail: str = "", exit_class: ExitClass | None = None
    ) -> None:
        """Write down what happened to a child."""
        self._out.append(record_of(child, life, event, detail, exit_class))

    def take_commands(self) -> list[m.Command]:
        """What has been emitted since the last time."""
        out, self._out = self._out, []
        self._announces = False
        return out

    def await_news(self, member: str, request: str, wanted: Wanted) -> None:
        """Answer `request` when the member is up, or has ended."""
        self.waiting.setdefault(member, []).append((request, wanted))

    def is_to_end(self, member: str) -> bool:
        """Whether somebody waits for a member's end."""
        return any(wanted == "down" for _, wanted in self.waiting.get(member, ()))

    def answer(self, member: str, is_now: Wanted) -> None:
        """A member is up, or has ended: answer those who wait for it."""
        for request, wanted in self.waiting.pop(member, ()):
            if wanted == is_now:
                self._out.append(m.Answer(request=request))
            elif is_now == "up":
                self.await_news(member, request, wanted)
            else:
                self._out.append(
                    m.Answer(request=request, problem="start_failed", detail=f"{member} was ended while it started")
                )

    def refuse(self, member: str, problem: Problem, detail: str, cause: bytes | None = None) -> None:
        """A member will not come up: tell those who wait for it; whoever wants it down has that."""
        for request, wanted in self.waiting.pop(member, ()):
            if wanted == "up":
                self._out.append(m.Answer(request=request, problem=problem, detail=detail, cause=cause))
            else:
                self._out.append(m.Answer(request=request))

    def in_order(self, group: Group, members: Iterable[str]) -> OrderedDict[str, None]:
        """Some members of a group in the order of their start; the first and the last are found at once."""
        chosen = set(members)
        return OrderedDict.fromkeys(member for member in group.members if member in chosen)


def _leave(places: dict[str, dict[Subject, None]], place: str, subject: Subject) -> None:
    del places[place][subject]
    if not places[place]:
        del places[place]
