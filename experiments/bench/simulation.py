"""A supervisor machine of thousands of children in virtual time, and a cluster that fails in every way at random.

Starts succeed or fail or take for ever, children crash, hang, exit, say that they are ill, news comes late, twice or
never, nodes drain, go and come back, people add, end, start again, resize and forget, and the leader is lost and
succeeded. What must hold is looked at on the way; how long the machine took is measured apart from the rest.
"""

from __future__ import annotations

import heapq
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Literal

from actors.runtime.process import ProcessEvidence, ProcessIdentity
from experiments.bench.chance import draw
from experiments.bench.forest import tree_of
from supervisor import messages as m
from supervisor import requests as r
from supervisor.supervision.machine import SupervisorMachine
from supervisor.tree import ROOT, SYSTEM, TOP, ExitClass, Location

_NODES = 8
_EXITS: tuple[ExitClass, ...] = ("crash", "killed", "normal", "out_of_memory", "shutdown")

CHECK_EVERY = 20_000
"""Events between two looks at the whole tree; a leader is not lost more often than every other time."""

_TROUBLE = 0.1
"""How often something goes wrong or is asked for, instead of the next news being told."""

_TWICE, _UNTOLD = 0.05, 0.01
"""How often a death is told twice, and how often that of a killed process is not told at all."""

Mischief = Literal["harm", "wish", "nodes", "lead"]
_MISCHIEF: Mapping[Mischief, float] = {
    "harm": 0.6,
    "wish": 0.35,
    "nodes": 0.04,
    "lead": 0.01,
}
_STEADY: Mapping[Mischief, float] = {"harm": 0.6, "wish": 0.4}
_START: dict[Literal["ignored", "failed", "silent"], float] = {"ignored": 0.002, "failed": 0.018, "silent": 0.002}
_HARM: dict[Literal["hang", "ill", "stale", "announced", "dies"], float] = {
    "hang": 0.1,
    "ill": 0.1,
    "stale": 0.1,
    "announced": 0.1,
    "dies": 0.6,
}
_WISH: dict[Literal["terminate", "restart", "delete", "add", "resize"], float] = {
    "terminate": 0.2,
    "restart": 0.3,
    "delete": 0.1,
    "add": 0.3,
    "resize": 0.1,
}
_WHOLE_GROUP, _DRAINING = 0.05, 0.3
"""How often a wish is about a whole group, and how often a node is about to go."""


@dataclass(slots=True)
class Tally:
    """What a simulation came to.

    Attributes:
        events: What the machine was told.
        commands: What it ordered.
        machine_s: Seconds of the processor that it took for that.
        kinds: How many of each event and command there were.
    """

    events: int = 0
    commands: int = 0
    machine_s: float = 0.0
    kinds: Counter[str] = field(default_factory=Counter[str])

    @property
    def us_per_event(self) -> float:
        """Microseconds that the machine took for an event, with all that it ordered."""
        return self.machine_s / max(1, self.events) * 1e6


class Simulation:
    """One tree, its cluster, and the clock of both.

    Args:
        children: How many children the tree begins with, about.
        seed: What chance is seeded with; the same gives the same.
        faults: How often something goes wrong, against the usual.
        steady: Neither nodes nor leaders are lost: each of these concerns a part of all children at once, so that trees
            of different sizes have different mixtures of events.
    """

    def __init__(self, *, children: int, seed: int, faults: float = 1.0, steady: bool = False) -> None:
        self.seed = seed
        self.tally = Tally()
        self._rng = Random(seed)  # noqa: S311 - chance that can be repeated, not secrets
        self._faults = faults
        self._mischiefs = _STEADY if steady else _MISCHIEF
        self._now = 0.0
        self._numbers = count()
        self._news: list[tuple[float, int, m.Event]] = []
        self._nodes = tuple(f"{number:056x}" for number in range(_NODES))
        self._draining: tuple[str, ...] = ()
        self._processes: dict[tuple[str, int], str] = {}
        self._hung: set[tuple[str, int]] = set()
        self._highest: dict[str, int] = {}
        self._accepted: dict[str, int] = {}
        self._asked: dict[str, bool] = {}
        self._finished = False
        self._groups, self._children, self._order = tree_of(children, self._rng)
        self._leader = 1
        self._machine = self._make(None)
        self._tell(m.LeaderStarted(actors=(), nodes=self._nodes))

    # -- the run ----------------------------------------------------------------------------------------------------

    def run(self, events: int) -> Tally:
        """Go on for that many events; an AssertionError names what does not hold.

        Raises:
            AssertionError: An invariant is broken; the seed is in its text.
        """
        until, checked = self.tally.events + events, self.tally.events
        while self.tally.events < until:
            self._step()
            if self.tally.events - checked >= CHECK_EVERY:
                checked = self.tally.events
                self.check()
        self.check()
        return self.tally

    def end(self) -> None:
        """Shut everything down; an AssertionError if something is left.

        Raises:
            AssertionError: Something still runs, or a request was never answered.
        """
        self._faults = 0.0
        self._tell(m.ShutdownRequested())
        while not self._finished and (self._news or self._machine.next_timer() is not None):
            self._next_news()
        self.check()
        self._hold(self._finished, "the shutdown never finished")
        view = self._machine.view()
        alive = [child.key for child in view.children if child.status in ("starting", "running", "stopping")]
        self._hold(not alive, f"{alive[:3]} outlived the shutdown")
        unanswered = [request for request, answered in self._asked.items() if not answered]
        self._hold(not unanswered, f"{unanswered[:3]} were never answered")

    def check(self) -> None:
        """Look at the whole tree."""
        found = self._machine.broken()
        self._hold(not found, "; ".join(found[:5]))

    def _hold(self, holds: bool, otherwise: str) -> None:  # noqa: FBT001 - as of assert
        if not holds:
            raise AssertionError(f"seed {self.seed}, event {self.tally.events}, at {self._now:.3f} s: {otherwise}")

    def _step(self) -> None:
        if self._rng.random() < _TROUBLE * self._faults:
            self._mischief()
        else:
            self._next_news()

    def _next_news(self) -> None:
        due = self._machine.next_timer()
        if self._news and (due is None or self._news[0][0] <= due):
            at, _, event = heapq.heappop(self._news)
            self._now = max(self._now, at)
            self._tell(event)
        elif due is not None:
            self._now = max(self._now, due)
            self._tell(m.TimePassed())
        else:
            self._now += 1.0
            self._tell(m.TimePassed())

    def _tell(self, event: m.Event) -> None:
        begun = time.process_time()
        commands = self._machine.handle(event, self._now)
        self.tally.machine_s += time.process_time() - begun
        self.tally.events += 1
        self.tally.commands += len(commands)
        self.tally.kinds[type(event).__name__] += 1
        for command in commands:
            self.tally.kinds[type(command).__name__] += 1
            self._obey(command)

    def _post(self, event: m.Event, delay_s: float) -> None:
        heapq.heappush(self._news, (self._now + delay_s, next(self._numbers), event))

    def _make(self, predecessor: SupervisorMachine | None) -> SupervisorMachine:
        """A leader; of the configuration a successor has what is the supervisor's own, the rest is in the ledger."""
        own = (TOP, SYSTEM, ROOT) if predecessor is not None else None
        return SupervisorMachine(
            supervisor="s",
            incarnation=self._leader,
            groups=[plan for plan in self._groups if own is None or plan.path in own],
            children=[plan for plan in self._children if own is None or plan.group in own],
            order=self._order,
            rng=self._rng,
            ledger=None if predecessor is None else predecessor.ledger(),
            now=self._now,
        )

    # -- a cluster that does what it is told, mostly ----------------------------------------------------------------

    def _obey(self, command: m.Command) -> None:  # noqa: C901 - one branch per command
        match command:
            case m.StartChild():
                self._start(command)
            case m.AdoptChild(key=key, incarnation=number):
                self._hold(number >= self._accepted.get(key, 0), f"{key}#{number} was adopted after a later one")
                self._post(self._ready(key, number), 0.01)
            case m.PromoteChild(key=key, incarnation=number):
                self._accept(key, number)
            case m.AttendStandbys(key=key, incarnation=number, standbys=standbys):
                attended = m.StandbysAttended(key=key, incarnation=number, standbys=standbys, told=standbys)
                self._post(attended, self._rng.expovariate(10.0))
            case m.AskStop(key=key, incarnation=number) if (key, number) not in self._hung:
                self._post(m.StopAnswered(key=key, incarnation=number), self._rng.expovariate(2.0))
            case m.KillChild(key=key, incarnation=number):
                self._kill(key, number)
            case m.AskHeartbeat(key=key, incarnation=number) if self._answers(key, number):
                self._post(m.HeartbeatAnswered(key=key, incarnation=number, company=command.company), 0.001)
            case m.LookAtProcess(key=key, incarnation=number):
                self._look(key, number)
            case m.Answer(request=request):
                self._hold(not self._asked[request], f"{request} was answered twice")
                self._asked[request] = True
            case m.Finish():
                self._finished = True
            case _:
                pass

    def _start(self, command: m.StartChild) -> None:
        key, number, rng = command.key, command.incarnation, self._rng
        self._hold(number > self._highest.get(key, 0), f"{key}#{number} was used before")
        self._highest[key] = number
        if not command.standby:
            self._accept(key, number)
        match draw(rng, _START, self._faults):
            case "ignored":
                self._post(m.ChildIgnored(key=key, incarnation=number), rng.random())
            case "failed":
                self._post(m.ChildStartFailed(key=key, incarnation=number, error="no"), rng.random())
            case "silent":
                pass
            case None:
                where = command.node_id if command.node_id in self._nodes else rng.choice(self._nodes)
                self._processes[key, number] = where
                self._post(self._ready(key, number), 0.05 + 0.3 * rng.random())

    def _answers(self, key: str, number: int) -> bool:
        return (key, number) in self._processes and (key, number) not in self._hung

    def _accept(self, key: str, number: int) -> None:
        """One life of a name at a time, and none after a later one."""
        accepted = self._accepted.get(key, 0)
        self._hold(number >= accepted, f"{key}#{number} was accepted after #{accepted}")
        self._accepted[key] = number

    def _ready(self, key: str, number: int) -> m.ChildReady:
        serves = self._accepted.get(key) == number
        return m.ChildReady(key=key, incarnation=number, location=self._place(key, number), serves=serves)

    def _place(self, key: str, number: int) -> Location:
        node = self._processes.get((key, number), self._nodes[0])
        return Location(process=ProcessIdentity(number, 1), node_id=node, host="h")

    def _kill(self, key: str, number: int) -> None:
        if self._processes.pop((key, number), None) is not None and self._rng.random() >= _UNTOLD * self._faults:
            self._die(key, number, "killed", 0.02)
        self._hung.discard((key, number))

    def _die(self, key: str, number: int, exit_class: ExitClass, delay_s: float) -> None:
        died = m.ChildDied(key=key, incarnation=number, exit_class=exit_class, detail="gone")
        self._post(died, delay_s)
        if self._rng.random() < _TWICE:
            self._post(died, delay_s + self._rng.random())  # news that comes twice

    def _look(self, key: str, number: int) -> None:
        alive = (key, number) in self._processes
        state = ("T" if (key, number) in self._hung else "R") if alive else ""
        evidence = ProcessEvidence(state, int(self._now * 100) if state == "R" else 5, seen_at=self._now)
        self._post(m.EvidenceFound(key=key, incarnation=number, evidence=evidence), 0.01)

    # -- what goes wrong, and what people want ----------------------------------------------------------------------

    def _mischief(self) -> None:
        match draw(self._rng, self._mischiefs):
            case "harm" | None:
                self._harm()
            case "wish":
                self._wish()
            case "nodes":
                self._change_nodes()
            case "lead" if self.tally.events > self._leader * 2 * CHECK_EVERY:
                self._fail_over()
            case _:
                pass

    def _victim(self) -> tuple[str, int] | None:
        """A living child."""
        key = self._rng.choice(self._children).key
        number = self._accepted.get(key, 0)
        return (key, number) if (key, number) in self._processes else None

    def _harm(self) -> None:
        victim = self._victim()
        if victim is None:
            return
        key, number = victim
        match draw(self._rng, _HARM):
            case "hang":
                self._hung.add(victim)
            case "ill":
                self._tell(m.ChildUnhealthy(key=key, incarnation=number, detail="ill"))
            case "stale":
                self._tell(m.ChildDied(key=key, incarnation=max(1, number - 1), exit_class="killed", detail="long ago"))
            case "announced":
                self._tell(m.ExitAnnounced(key=key, incarnation=number, exit_class="task_limit"))
                self._perish(victim)
            case "dies" | None:
                self._perish(victim)

    def _perish(self, victim: tuple[str, int]) -> None:
        if self._processes.pop(victim, None) is not None:
            self._die(*victim, self._rng.choice(_EXITS), 0.0)

    def _wish(self) -> None:
        rng = self._rng
        wished = rng.choice(self._children)
        member = wished.group if rng.random() < _WHOLE_GROUP else wished.key
        match draw(rng, _WISH):
            case "terminate" | None:
                self._ask(r.Terminate(member=member))
            case "restart":
                self._ask(r.RestartMember(member=member))
            case "delete":
                self._ask(r.Delete(member=wished.key))
            case "add":
                self._ask(r.AddMembers(children=(wished,)))
            case "resize":
                pool = wished.key if wished.pool is None else wished.pool
                self._ask(r.Resize(member=pool, standbys=rng.randrange(3)))

    def _ask(self, wish: r.Request) -> None:
        request = f"r{next(self._numbers)}"
        self._asked[request] = False
        self._tell(m.Administered(request=request, wish=wish))

    def _change_nodes(self) -> None:
        rng = self._rng
        nodes = list(self._nodes)
        if len(nodes) > _NODES // 2 and rng.random() < 1 / 2:
            lost = nodes.pop(rng.randrange(len(nodes)))
            for life, node in list(self._processes.items()):
                if node == lost:
                    del self._processes[life]
                    self._die(*life, "node_lost", rng.random())
        else:
            nodes.append(f"{next(self._numbers):056x}")
        self._nodes = tuple(nodes)
        self._draining = tuple(rng.sample(nodes, 1)) if rng.random() < _DRAINING else ()
        self._tell(m.NodesSeen(nodes=self._nodes, draining=self._draining))

    def _fail_over(self) -> None:
        """The leader is lost with all that it was asked; a successor finds what lives, and callers ask again."""
        self._leader += 1
        self._machine = self._make(self._machine)
        lost = (m.ChildDied, m.ChildStartFailed, m.ChildReady, m.ChildIgnored)
        self._news = sorted(entry for entry in self._news if not isinstance(entry[2], lost))
        known = [
            m.KnownActor(key=key, incarnation=number, alive=True, location=self._place(key, number))
            for key, number in self._processes
        ]
        last = [
            m.KnownActor(key=key, incarnation=number, alive=False)
            for key, number in self._highest.items()
            if (key, number) not in self._processes
        ]
        self._asked = {request: True for request in self._asked}
        self._tell(m.LeaderStarted(actors=(*known, *last), nodes=self._nodes, succeeds=True))


def cost_per_event_s(children: int, events: int, *, seed: int = 0) -> float:
    """What an event costs the machine with all that it orders, seconds, once a tree of so many children has come up."""
    simulation = Simulation(children=children, seed=seed, steady=True)
    simulation.run(5 * children)
    before = simulation.tally.machine_s, simulation.tally.events
    simulation.run(events)
    return (simulation.tally.machine_s - before[0]) / (simulation.tally.events - before[1])
