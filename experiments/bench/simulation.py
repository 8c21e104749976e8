"""The supervisor machine with thousands of children, in virtual time: random events, and what one costs.

What the children do is drawn from a seed. After each event the promises are looked at that can be looked at cheaply:
one accepted incarnation per child, and no command for one that is over.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from actors.runtime.process import ProcessIdentity
from supervisor import messages as m
from supervisor.supervision.machine import SupervisorMachine
from supervisor.tree import ROOT, SYSTEM, TOP, ChildPlan, GroupPlan, Location

GROUP_SIZE = 50
STRATEGIES = ("one_for_one", "one_for_all", "rest_for_one")
NODE = "n" * 56
_STEP_S = 0.0001
_STALE, _HEARTBEATS, _ANNOUNCED = 0.1, 0.7, 0.2
"""The parts of the drawn events: about a life that is over; heartbeats; announced exits. The rest are deaths."""


@dataclass(slots=True)
class Outcome:
    """What a simulation came to.

    Attributes:
        events: Events that the machine handled.
        commands: Commands that it gave.
        seconds: Processor time that it took, seconds.
        broken: Promises that were broken, in words; at most ten.
    """

    events: int = 0
    commands: int = 0
    seconds: float = 0.0
    broken: list[str] = field(default_factory=list[str])


class Simulation:
    """A machine and the cluster that it believes in.

    Args:
        children: How many there are, in groups of 50 that take turns in their strategies.
        seed: Of what befalls them.
    """

    def __init__(self, children: int, seed: int) -> None:
        self._rng = Random(seed)  # noqa: S311 - a simulation is to be repeatable
        self._now = 0.0
        self._accepted: dict[str, int] = {}
        self._running: dict[str, int] = {}
        self._keys = [f"child/g{number // GROUP_SIZE}.c{number}" for number in range(children)]
        self._due: deque[m.Event] = deque()
        self.outcome = Outcome()
        self._machine = SupervisorMachine(
            supervisor="s", incarnation=1, groups=list(_groups(children)), children=self._plans(), rng=self._rng
        )
        self._tell(m.LeaderStarted(actors=(), nodes=()))
        self._settle()
        self.outcome = Outcome(broken=self.outcome.broken)

    def _plans(self) -> list[ChildPlan]:
        return [ChildPlan(key=key, group=key.partition("/")[2].partition(".")[0]) for key in self._keys]

    def run(self, events: int) -> Outcome:
        """Let `events` events happen to children drawn by lot."""
        while self.outcome.events < events:
            self._now += _STEP_S
            due = self._machine.next_timer()
            self._tell(m.TimePassed() if due is not None and due <= self._now else self._drawn())
            while self._due and self.outcome.events < events:
                self._tell(self._due.popleft())
        return self.outcome

    def _settle(self) -> None:
        while self._due:
            self._tell(self._due.popleft())

    def _drawn(self) -> m.Event:
        key = self._rng.choice(self._keys)
        incarnation = self._running.get(key, 0) - (self._rng.random() < _STALE)
        lot = self._rng.random()
        if lot < _HEARTBEATS:
            return m.HeartbeatAnswered(key=key, incarnation=incarnation)
        if lot < _HEARTBEATS + _ANNOUNCED:
            return m.ExitAnnounced(key=key, incarnation=incarnation, exit_class="crash")
        return m.ChildDied(key=key, incarnation=incarnation, exit_class="killed", detail="drawn")

    def _tell(self, event: m.Event) -> None:
        begun = time.process_time()
        commands = self._machine.handle(event, self._now)
        self.outcome.seconds += time.process_time() - begun
        self.outcome.events += 1
        self.outcome.commands += len(commands)
        if isinstance(event, m.ChildDied) and self._running.get(event.key) == event.incarnation:
            del self._running[event.key]
        for command in commands:
            self._obey(command)

    def _obey(self, command: m.Command) -> None:
        match command:
            case m.StartChild(key=key, incarnation=incarnation):
                if incarnation <= self._accepted.get(key, 0) or key in self._running:
                    self._break(f"{key}#{incarnation} was started beside or after a later life")
                self._accepted[key] = incarnation
                self._running[key] = incarnation
                where = Location(process=ProcessIdentity(1, 1), node_id=NODE, host="h")
                self._due.append(m.ChildReady(key=key, incarnation=incarnation, location=where))
            case m.AskStop(key=key, incarnation=incarnation):
                self._due.append(m.StopAnswered(key=key, incarnation=incarnation))
            case m.KillChild(key=key, incarnation=incarnation):
                if self._running.get(key) == incarnation:
                    self._due.append(m.ChildDied(key=key, incarnation=incarnation, exit_class="killed", detail="kill"))
            case m.AskHeartbeat(key=key, incarnation=incarnation):
                if self._running.get(key) != incarnation:
                    self._break(f"{key}#{incarnation} was asked, and is over")
                self._due.append(m.HeartbeatAnswered(key=key, incarnation=incarnation))
            case _:
                pass

    def _break(self, what: str) -> None:
        if len(self.outcome.broken) < 10:  # noqa: PLR2004 - enough to begin with
            self.outcome.broken.append(what)


def _groups(children: int) -> Iterator[GroupPlan]:
    yield GroupPlan(path=TOP, parent=None, starts_together=True)
    yield GroupPlan(path=SYSTEM, parent=TOP, starts_together=True)
    yield GroupPlan(path=ROOT, parent=TOP, starts_together=True, intensity=10**9)
    for number in range((children + GROUP_SIZE - 1) // GROUP_SIZE):
        strategy = STRATEGIES[number % len(STRATEGIES)]
        yield GroupPlan(path=f"g{number}", strategy=strategy, intensity=10**6)


def cost_per_event_s(children: int, events: int, *, seed: int = 0) -> float:
    """The processor time that one event costs, seconds."""
    outcome = Simulation(children, seed).run(events)
    return outcome.seconds / outcome.events
