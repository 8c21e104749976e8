"""Whatever happens to children: a small model says which incarnation is accepted, and the machine agrees."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.runtime.process import ProcessEvidence, ProcessIdentity
from supervisor import messages as m
from supervisor.machine import SupervisorMachine
from supervisor.tree import ROOT, ChildSpec, GroupSpec, Location, Pool

INTENSITY, PERIOD_S = 3, 5.0
POOL = ("worker/p-0", "worker/p-1", "worker/p-2")
NODES = ("a" * 56, "b" * 56)
AGENTS = tuple(f"node_agent/{node[:12]}" for node in NODES)
UNCOUNTED = ("task_limit", "node_lost", "shutdown")

Phase = Literal["none", "starting", "running", "ended"]


@dataclass
class Life:
    """What the model knows of one child: its accepted incarnation, and how far that is."""

    incarnation: int = 0
    phase: Phase = "none"
    highest: int = 0


@dataclass
class Model:
    """The accepted lives, told only by what went into the machine and what came out."""

    lives: dict[str, Life] = field(default_factory=lambda: defaultdict(Life))
    restarts: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    given_up: set[str] = field(default_factory=set)
    stopped: bool = False

    def group(self, key: str) -> str:
        return "pool:p" if key.startswith("worker/") else ROOT

    def is_current(self, key: str, incarnation: int, *phases: Phase) -> bool:
        life = self.lives[key]
        return life.incarnation == incarnation and life.phase in phases

    def obey(self, command: m.Command, now: float) -> None:
        match command:
            case m.StartChild(key=key, incarnation=incarnation):
                life = self.lives[key]
                assert not self.stopped, "something started after the shutdown"
                assert self.group(key) not in self.given_up, f"{key} started in a group that was given up"
                assert life.phase in ("none", "ended"), f"{key} was started while its life {life.incarnation} went on"
                assert incarnation > life.highest, f"{key}#{incarnation} is no new incarnation"
                life.incarnation = life.highest = incarnation
                life.phase = "starting"
            case m.AdoptChild(key=key, incarnation=incarnation):
                life = self.lives[key]
                assert life.phase == "none"
                assert incarnation == life.highest, "an incarnation was adopted that a later one had replaced"
                life.incarnation, life.phase = incarnation, "starting"
            case m.RecordChild(key=key, incarnation=incarnation, event="died" | "fenced"):
                assert self.lives[key].incarnation == incarnation
                self.lives[key].phase = "ended"
            case m.RecordChild(key=key, event="given_up"):
                self.given_up.add(self.group(key))
                self.lives[key].phase = "ended"
            case m.RecordRestart(exit_class=exit_class, group=group):
                if exit_class not in UNCOUNTED:
                    recent = [at for at in self.restarts[group] if now - at <= PERIOD_S]
                    assert len(recent) < INTENSITY, f"{group} was restarted more often than its intensity allows"
                    self.restarts[group] = [*recent, now]
            case m.AskHeartbeat(key=key, incarnation=incarnation) | m.LookAtProcess(key=key, incarnation=incarnation):
                assert self.is_current(key, incarnation, "running")
            case m.StopChild(key=key, incarnation=incarnation):
                assert self.is_current(key, incarnation, "running", "starting")
            case m.KillChild(key=key, incarnation=incarnation):
                assert not self.is_current(key, incarnation, "running"), "an accepted life was killed"
            case _:
                pass


class World:
    """A supervisor machine, and events that a cluster could send it, the stale and the doubled ones included."""

    def __init__(self, seed: int, actors: tuple[m.KnownActor, ...]) -> None:
        self.now = 0.0
        self.model = Model()
        for actor in actors:
            life = self.model.lives[actor.key]
            life.highest = max(life.highest, actor.incarnation)
        self.machine = SupervisorMachine(
            supervisor="s",
            incarnation=2,
            specs=[
                ChildSpec(key="event_log/writer"),
                *(ChildSpec(key=key, group="pool:p", pool="p") for key in POOL),
            ],
            groups=[
                GroupSpec(name=ROOT, intensity=INTENSITY, period_s=PERIOD_S),
                GroupSpec(name="pool:p", intensity=INTENSITY, period_s=PERIOD_S),
            ],
            pools=[Pool("p", 2, list(POOL))],
            rng=Random(seed),
        )
        self.tell(m.LeaderStarted(actors=actors, nodes=NODES))

    def tell(self, event: m.Event) -> None:
        """One event; the model follows the commands, and the view is compared after them."""
        if isinstance(event, m.ChildReady) and self.model.is_current(event.key, event.incarnation, "starting"):
            self.model.lives[event.key].phase = "running"
        for command in self.machine.handle(event, self.now):
            self.model.obey(command, self.now)
        if isinstance(event, m.ShutdownRequested):
            self.model.stopped = True
            for life in self.model.lives.values():
                life.phase = "ended"
        self.compare()

    def compare(self) -> None:
        view = self.machine.view()
        shown = {worker.name for worker in view.pools["p"].workers}
        running = {
            f"s/{key}#{life.incarnation}"
            for key, life in self.model.lives.items()
            if key.startswith("worker/") and life.phase == "running"
        }
        assert shown == running
        roles = [worker.role for worker in view.pools["p"].workers]
        assert roles.count("active") == min(len(roles), 2)
        assert view.stopping == self.model.stopped
        assert (view.pools["p"].failure is not None) == ("pool:p" in self.model.given_up)

    def pass_time(self, seconds: float) -> None:
        until = self.now + seconds
        while (due := self.machine.next_timer()) is not None and due <= until:
            self.now = max(self.now, due)
            self.tell(m.TimePassed())
        self.now = until


keys = st.sampled_from([*POOL, "event_log/writer", *AGENTS])
back = st.sampled_from([0, 0, 0, 0, 1, 2])
"""How many lives ago the news was sent."""
exits = st.sampled_from(["crash", "killed", "out_of_memory", "normal", "task_limit", "node_lost"])
steps = st.one_of(
    st.tuples(st.sampled_from(["ready", "answered", "failed", "all_ready"]), keys, back),
    st.tuples(st.just("died"), keys, back, exits),
    st.tuples(st.just("announced"), keys, back, exits),
    st.tuples(st.just("evidence"), keys, back, st.sampled_from(["T", "S", "R", ""]), st.integers(0, 3)),
    st.tuples(st.just("nodes"), st.sets(st.sampled_from(NODES))),
    st.tuples(st.just("time"), st.sampled_from([0.01, 0.3, 1.0, 4.0, 20.0, 70.0])),
)
known = st.lists(
    st.builds(
        m.KnownActor, key=st.one_of(keys, st.just("worker/p-7")), incarnation=st.integers(1, 3), alive=st.booleans()
    ),
    max_size=6,
    unique_by=lambda actor: (actor.key, actor.incarnation),
)


def act(world: World, step: tuple[Any, ...]) -> None:
    kind, *values = step
    match kind, values:
        case "time", [seconds]:
            world.pass_time(seconds)
        case "nodes", [nodes]:
            world.tell(m.NodesSeen(nodes=tuple(sorted(nodes))))
        case "all_ready", _:
            for key in list(world.model.lives):
                world.tell(m.ChildReady(key=key, incarnation=world.model.lives[key].incarnation, location=_location()))
        case _, [key, ago, *rest]:
            incarnation = max(0, world.model.lives[key].incarnation - ago)
            world.tell(_news(kind, key, incarnation, rest, world.now))
        case _:
            raise AssertionError(step)


def _news(kind: str, key: str, incarnation: int, rest: list[Any], now: float) -> m.Event:
    match kind, rest:
        case "ready", _:
            return m.ChildReady(key=key, incarnation=incarnation, location=_location())
        case "answered", _:
            return m.HeartbeatAnswered(key=key, incarnation=incarnation)
        case "failed", _:
            return m.ChildStartFailed(key=key, incarnation=incarnation, error="no")
        case "died", [exit_class]:
            return m.ChildDied(key=key, incarnation=incarnation, exit_class=exit_class, detail="gone")
        case "announced", [exit_class]:
            return m.ExitAnnounced(key=key, incarnation=incarnation, exit_class=exit_class)
        case _, [state, ticks]:
            evidence = ProcessEvidence(state=state, cpu_ticks=ticks, seen_at=now)
            return m.EvidenceFound(key=key, incarnation=incarnation, evidence=evidence)
        case _:
            raise AssertionError(kind)


def _location() -> Location:
    return Location(process=ProcessIdentity(1, 1), node_id=NODES[0], host="h")


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**16), actors=known, script=st.lists(steps, max_size=40))
def test_the_machine_accepts_whom_the_model_accepts(
    seed: int, actors: list[m.KnownActor], script: list[tuple[Any, ...]]
) -> None:
    world = World(seed, tuple(actors))
    for step in script:
        act(world, step)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**16), before=st.lists(steps, max_size=15), after=st.lists(steps, max_size=15))
def test_nothing_starts_after_the_shutdown(
    seed: int, before: list[tuple[Any, ...]], after: list[tuple[Any, ...]]
) -> None:
    world = World(seed, ())
    for step in before:
        act(world, step)
    world.tell(m.ShutdownRequested())
    for step in after:
        act(world, step)
    world.pass_time(200.0)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**16), script=st.lists(steps, max_size=30))
def test_a_tree_that_is_left_alone_comes_to_rest(seed: int, script: list[tuple[Any, ...]]) -> None:
    """Every child of a group that was not given up runs again once starts succeed; the others stay down."""
    world = World(seed, ())
    for step in script:
        act(world, step)
    world.tell(m.NodesSeen(nodes=NODES))
    for _ in range(10):
        for key, life in list(world.model.lives.items()):
            if life.phase == "starting":
                world.tell(m.ChildReady(key=key, incarnation=life.incarnation, location=_location()))
            if life.phase == "running":
                world.tell(m.HeartbeatAnswered(key=key, incarnation=life.incarnation))
        world.pass_time(0.9)
    for child in world.machine.view().children:
        is_down = world.model.group(child.key) in world.model.given_up
        assert child.status == ("given_up" if is_down else "running"), child
