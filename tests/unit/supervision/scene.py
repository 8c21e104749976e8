"""A supervisor machine in virtual time, its tree in a few words, and the words for what it commands.

`Scene(group("shop", child("a"), child("b"), strategy="one_for_all"))` is a tree under the root. A child is named by its
path (`shop.a`), a worker or a service by its key. `said` turns commands into short texts, so that whole lists compare.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from random import Random
from typing import Any, TypeVar

from actors.runtime.process import ProcessEvidence, ProcessIdentity
from supervisor import messages as m
from supervisor import requests as r
from supervisor.supervision.ledger import Ledger
from supervisor.supervision.machine import SupervisorMachine
from supervisor.tree import (
    LOG,
    POOLS,
    ROOT,
    SYSTEM,
    TOP,
    BackoffPlan,
    ChildPlan,
    ExitClass,
    GroupPlan,
    Location,
    child_key,
    group_path,
    member_plan,
)
from tests.unit.supervision.words import acts as acts  # noqa: PLC0414 - a scene and its words are one
from tests.unit.supervision.words import answers as answers  # noqa: PLC0414 - a scene and its words are one
from tests.unit.supervision.words import delays as delays  # noqa: PLC0414 - a scene and its words are one
from tests.unit.supervision.words import only as only  # noqa: PLC0414 - a scene and its words are one
from tests.unit.supervision.words import records as records  # noqa: PLC0414 - a scene and its words are one
from tests.unit.supervision.words import said as said  # noqa: PLC0414 - a scene and its words are one

NODE, OTHER, THIRD = (letter * 56 for letter in "nop")
AGENT = f"node_agent/{NODE[:12]}"
W0, W1, W2 = "worker/p-0", "worker/p-1", "worker/p-2"
SLEEPING, STOPPED, GONE = (ProcessEvidence(state, 5, seen_at=0.0) for state in ("S", "T", ""))
CALM = BackoffPlan(jitter=0.0)
Kind = TypeVar("Kind")


class Steady(Random):
    """A chance that always falls in the middle."""

    def random(self) -> float:
        return 0.5


@dataclass(frozen=True)
class Spec:
    """A member of a tree in a test."""

    name: str
    settings: dict[str, Any]
    members: tuple[Spec, ...] | None = None
    pool: tuple[int, int] | None = None


def child(name: str, **settings: Any) -> Spec:
    return Spec(name, settings)


def group(name: str, *members: Spec, **settings: Any) -> Spec:
    return Spec(name, {"intensity": 100, "backoff": CALM} | settings, members)


def pool(name: str, size: int, standbys: int = 0, /, *, child: dict[str, Any] | None = None, **settings: Any) -> Spec:
    return Spec(name, {"intensity": 100, "backoff": CALM, "child": child or {}} | settings, None, (size, standbys))


def plans(spec: Spec, parent: str = ROOT, request: str = "") -> r.AddMembers:
    """What asks for that member."""
    found = list(_plans(spec, parent, request))
    return r.AddMembers(
        groups=tuple(plan for plan in found if isinstance(plan, GroupPlan)),
        children=tuple(plan for plan in found if isinstance(plan, ChildPlan)),
        order=tuple(plan.path if isinstance(plan, GroupPlan) else plan.key for plan in found),
    )


def _plans(spec: Spec, parent: str, request: str = "") -> Iterator[GroupPlan | ChildPlan]:
    if spec.pool is not None:
        yield from _pool_plans(spec, parent, request)
    elif spec.members is None:
        yield ChildPlan(key=child_key(parent, spec.name), group=parent, request=request, **spec.settings)
    else:
        path = group_path(parent, spec.name)
        yield GroupPlan(path=path, parent=parent, request=request, **spec.settings)
        for member in spec.members:
            yield from _plans(member, path)


def _pool_plans(spec: Spec, parent: str, request: str) -> Iterator[GroupPlan | ChildPlan]:
    settings = dict(spec.settings)
    key, path = settings.pop("key", None), settings.pop("path", group_path(parent, spec.name))
    template = ChildPlan(key=key or f"child/{path}", group=path, pool=path, **settings.pop("child"))
    size, standbys = spec.pool or (0, 0)
    yield GroupPlan(
        path=path,
        parent=parent,
        starts_together=True,
        ends_together=True,
        pool_size=size,
        pool_standbys=standbys,
        template=template,
        request=request,
        **settings,
    )
    for number in range(size + standbys):
        yield member_plan(template, f"{template.key}-{number}")


def workers(size: int = 2, standbys: int = 0, /, *, child: dict[str, Any] | None = None, **settings: Any) -> Spec:
    """The pool of task workers `p`."""
    return pool("p", size, standbys, child=child, key="worker/p", path=f"{POOLS}p", **settings)


def key_of(name: str) -> str:
    """A child's key from its path; a key is one already."""
    return name if "/" in name else f"child/{name}"


@dataclass
class Scene:
    """A machine, its clock, and what became of it.

    Args:
        specs: The root's members; pools of task workers are the supervisor's own.
        root: The root's settings.
        system: The settings of the group of the services.
        log: Whether there is a log writer.
        nodes: The cluster's nodes.
        incarnation: The leader's number.
        ledger: What a predecessor left.
    """

    machine: SupervisorMachine
    nodes: tuple[str, ...]
    now: float = 100.0
    places: dict[str, str] = field(default_factory=dict[str, str])

    def __init__(
        self,
        *specs: Spec,
        root: dict[str, Any] | None = None,
        log: bool = False,
        nodes: tuple[str, ...] = (),
        incarnation: int = 2,
        ledger: Ledger | None = None,
        system: dict[str, Any] | None = None,
    ) -> None:
        services: dict[str, Any] = {"intensity": 10, "backoff": CALM} | (system or {})
        users: dict[str, Any] = {"intensity": 100, "backoff": CALM} | (root or {})
        found: list[GroupPlan | ChildPlan] = []
        found.append(GroupPlan(path=TOP, parent=None, starts_together=True))
        found.append(GroupPlan(path=SYSTEM, parent=TOP, starts_together=True, **services))
        if log:
            found.append(ChildPlan(key=LOG, group=SYSTEM, shutdown_s=30.0))
        for spec in specs:
            if "path" in spec.settings:
                found += _plans(spec, TOP)
        found.append(GroupPlan(path=ROOT, parent=TOP, **users))
        for spec in specs:
            if "path" not in spec.settings:
                found += _plans(spec, ROOT)
        self.now = 100.0
        self.places = {}
        self.nodes = nodes
        self._requests = count(1)
        self.machine = SupervisorMachine(
            supervisor="s",
            incarnation=incarnation,
            groups=[plan for plan in found if isinstance(plan, GroupPlan)],
            children=[plan for plan in found if isinstance(plan, ChildPlan)],
            order=[plan.path if isinstance(plan, GroupPlan) else plan.key for plan in found],
            rng=Steady(),
            ledger=ledger,
            now=self.now,
        )

    # -- what happens -----------------------------------------------------------------------------------------------

    def tell(self, event: m.Event) -> list[m.Command]:
        commands = self.machine.handle(event, self.now)
        assert self.machine.broken() == [], event
        return commands

    def lead(self, *actors: m.KnownActor, succeeds: bool = False) -> list[m.Command]:
        return self.tell(m.LeaderStarted(actors=actors, nodes=self.nodes, succeeds=succeeds))

    def ready(
        self, name: str, incarnation: int | None = None, *, node: str = NODE, serves: bool = True, host: str = ""
    ) -> list[m.Command]:
        key, number = self._life(name, incarnation)
        return self.tell(m.ChildReady(key=key, incarnation=number, location=where(node), serves=serves, host=host))

    def stands_by(self, name: str, incarnation: int, *, node: str = NODE) -> list[m.Command]:
        return self.ready(name, incarnation, node=node, serves=False)

    def attended(self, name: str, *standbys: int, by: int | None = None, told: tuple[int, ...] = ()) -> list[m.Command]:
        """Of the standbys that the accepted life was told of these hold its state; nothing said: all of them."""
        key, number = self._life(name, by)
        return self.tell(m.StandbysAttended(key=key, incarnation=number, standbys=standbys, told=told or standbys))

    def died(
        self, name: str, exit_class: ExitClass = "crash", incarnation: int | None = None, **more: str
    ) -> list[m.Command]:
        key, number = self._life(name, incarnation)
        facts = {"detail": "gone"} | more
        return self.tell(m.ChildDied(key=key, incarnation=number, exit_class=exit_class, **facts))

    def process_ended(self, name: str, incarnation: int | None = None) -> list[m.Command]:
        """The kernel tells of a death before Ray does."""
        key, number = self._life(name, incarnation)
        return self.tell(m.ProcessEnded(key=key, incarnation=number))

    def failed(
        self, name: str, incarnation: int | None = None, error: str = "no", cause: bytes | None = None
    ) -> list[m.Command]:
        key, number = self._life(name, incarnation)
        return self.tell(m.ChildStartFailed(key=key, incarnation=number, error=error, cause=cause))

    def ignored(self, name: str, incarnation: int | None = None) -> list[m.Command]:
        key, number = self._life(name, incarnation)
        return self.tell(m.ChildIgnored(key=key, incarnation=number))

    def unhealthy(self, name: str, detail: str = "ill", incarnation: int | None = None) -> list[m.Command]:
        key, number = self._life(name, incarnation)
        return self.tell(m.ChildUnhealthy(key=key, incarnation=number, detail=detail))

    def stopped(self, name: str, incarnation: int | None = None, *, in_order: bool = True) -> list[m.Command]:
        key, number = self._life(name, incarnation)
        return self.tell(m.StopAnswered(key=key, incarnation=number, in_order=in_order))

    def answered(self, name: str, incarnation: int | None = None) -> list[m.Command]:
        key, number = self._life(name, incarnation)
        return self.tell(m.HeartbeatAnswered(key=key, incarnation=number))

    def evidence(self, name: str, evidence: ProcessEvidence, incarnation: int | None = None) -> list[m.Command]:
        """That evidence, found just now."""
        key, number = self._life(name, incarnation)
        return self.tell(m.EvidenceFound(key=key, incarnation=number, evidence=replace(evidence, seen_at=self.now)))

    def announce(self, name: str, exit_class: ExitClass, incarnation: int | None = None) -> list[m.Command]:
        key, number = self._life(name, incarnation)
        return self.tell(m.ExitAnnounced(key=key, incarnation=number, exit_class=exit_class))

    def ask(self, wish: r.Request, request: str = "") -> list[m.Command]:
        return self.tell(m.Administered(request=request or f"r{next(self._requests)}", wish=wish))

    def add(self, spec: Spec, parent: str = ROOT, request: str = "") -> list[m.Command]:
        return self.ask(plans(spec, parent, request), request)

    def see(self, *nodes: str, draining: tuple[str, ...] = ()) -> list[m.Command]:
        return self.tell(m.NodesSeen(nodes=nodes, draining=draining))

    def shut_down(self) -> list[m.Command]:
        return self.tell(m.ShutdownRequested())

    def wait(self, seconds: float) -> list[m.Command]:
        """Time goes on; whatever is due on the way is decided when it is."""
        commands: list[m.Command] = []
        until = self.now + seconds
        while (due := self.machine.next_timer()) is not None and due <= until:
            self.now = max(self.now, due)
            commands += self.tell(m.TimePassed())
        self.now = until
        return commands

    def be_away(self, seconds: float) -> list[m.Command]:
        """Time goes on without the machine: its process is stopped, or gets no processor."""
        self.now += seconds
        commands: list[m.Command] = []
        while (due := self.machine.next_timer()) is not None and due <= self.now:
            commands += self.tell(m.TimePassed())
        return commands

    def _life(self, name: str, incarnation: int | None) -> tuple[str, int]:
        key = key_of(name)
        if incarnation is None:
            plan = self.machine.plan_of(key)
            incarnation = 1 if plan is None else self.child(key).incarnation
        return key, incarnation

    # -- a cluster that does what it is told -------------------------------------------------------------------------

    def run(self, commands: Iterable[m.Command], *, fails: Collection[str] = ()) -> list[str]:
        """Carry the commands out, and what follows, until nothing does; returns all that was said, in order.

        Starts succeed but of `fails`, requests to stop are obeyed, and who is killed is dead.
        """
        heard: list[str] = []
        todo = deque(commands)
        broken = {key_of(name) for name in fails}
        while todo:
            command = todo.popleft()
            heard += said([command])
            todo.extend(self._effect(command, broken))
        return heard

    def _effect(self, command: m.Command, broken: Collection[str]) -> list[m.Command]:  # noqa: PLR0911 - one line per command
        match command:
            case m.StartChild(key=key, incarnation=number):
                if key in broken:
                    return self.failed(key, number)
                return self.ready(key, number, node=command.node_id or NODE, serves=not command.standby)
            case m.AdoptChild(key=key, incarnation=number):
                return self.ready(key, number)
            case m.AskStop(key=key, incarnation=number):
                return self.stopped(key, number)
            case m.AttendStandbys(key=key, incarnation=number, standbys=standbys):
                return self.attended(key, *standbys, by=number)
            case m.KillChild(key=key, incarnation=number) | m.FenceMember(key=key, incarnation=number):
                return self.died(key, "killed", number)
            case _:
                return []

    def up(self) -> Scene:
        """Lead, and let everything start."""
        self.run(self.lead())
        return self

    # -- what is there ----------------------------------------------------------------------------------------------

    def child(self, name: str) -> m.ChildView:
        return next(child for child in self.machine.view().children if child.key == key_of(name))

    def group(self, path: str) -> m.GroupView:
        return self.machine.view().groups[path]

    def statuses(self) -> dict[str, str]:
        return {child.key.removeprefix("child/"): child.status for child in self.machine.view().children}

    def incarnations(self) -> dict[str, int]:
        return {child.key.removeprefix("child/"): child.incarnation for child in self.machine.view().children}

    def serving(self) -> dict[str, str]:
        return {worker.name: worker.role for worker in self.machine.view().pools["p"].workers}

    def count(self) -> dict[str, int]:
        """OTP's `count_children`, of what a view says."""
        children = self.machine.view().children
        alive = [each for each in children if each.status in ("starting", "running", "stopping")]
        return {"specs": len(children), "active": len(alive)}


def where(node: str = NODE) -> Location:
    return Location(process=ProcessIdentity(7, 70), node_id=node, host="h")


def actor(name: str, incarnation: int, *, alive: bool = True, node: str | None = None) -> m.KnownActor:
    place = None if node is None else where(node)
    return m.KnownActor(key=key_of(name), incarnation=incarnation, alive=alive, location=place)
