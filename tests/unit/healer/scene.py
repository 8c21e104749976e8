"""A healer's machine in virtual time, with a journal, healers and probes made up by the test."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from actors.healer import messages as m
from actors.healer.incident import Incident
from actors.healer.machine import HealerMachine
from actors.healer.routing import Healer
from actors.healer.settings import HealerSettings, PlanRule
from actors.recovery.course import Outcome
from actors.recovery.strategies import Strategy

HEALERS = (Healer(name="h1", node="n1"), Healer(name="h2", node="n2"))


def settings(*strategies: Strategy, **fields: Any) -> HealerSettings:
    given: dict[str, Any] = {"plans": (PlanRule(strategies=strategies),)} if strategies else {}
    return HealerSettings(**(given | fields))


class Scene:
    """One machine. Records are confirmed, steps succeed and probes are good at once, unless the test says otherwise.

    Attributes:
        outcome: How a step ends; None: not at all.
        verdict: What a probe says; None: nothing.
        journal: The last confirmed record of each incident.
        confirms: Whether records are.
        ran: The steps that were run: incident, strategy's place, action, number.
    """

    def __init__(self, *strategies: Strategy, healers: tuple[Healer, ...] = HEALERS, **fields: Any) -> None:
        self.settings = settings(*strategies, **fields)
        self.begin(incarnation=1)
        self.outcome: Callable[[m.RunStep], Outcome | None] = lambda _: "succeeded"
        self.verdict: Callable[[m.Verify], m.Verdict | None] = lambda _: "passed"
        self.journal: dict[str, Incident] = {}
        self.confirms = True
        self.ran: list[tuple[str, int, str, int]] = []
        self.runs: list[m.RunStep] = []
        if healers:
            self.tell(m.HealersChanged(healers=healers))

    def begin(self, *, incarnation: int, now: float = 1000.0) -> None:
        self.now = now
        self.machine = HealerMachine(self.settings, rng=Random(1), life=str(incarnation), now=now)

    def tell(self, event: m.Event) -> list[m.Command]:
        """What is commanded, and what follows when the shell does it."""
        commands: list[m.Command] = []
        events: list[m.Event] = [event]
        while events:
            for command in self.machine.handle(events.pop(0), self.now):
                commands.append(command)
                events += self.obey(command)
        return commands

    def obey(self, command: m.Command) -> list[m.Event]:
        if isinstance(command, m.RecordIncident) and self.confirms:
            incident = command.incident
            self.journal[incident.incident_id] = incident
            return [m.IncidentRecorded(incident_id=incident.incident_id, version=incident.version)]
        if isinstance(command, m.RunStep):
            incident, step = command.incident, command.step
            assert self.journal[incident.incident_id].begun == step, "it is on record before it is run"
            self.ran.append((incident.incident_id, incident.position, step.action, step.number))
            self.runs.append(command)
            outcome = self.outcome(command)
            return [] if outcome is None else [self.ended(command, outcome)]
        if isinstance(command, m.Verify):
            verdict = self.verdict(command)
            if verdict is not None:
                number = command.number
                return [m.VerificationEnded(incident_id=command.incident_id, number=number, verdict=verdict)]
        return []

    @staticmethod
    def ended(run: m.RunStep, outcome: Outcome, detail: str = "") -> m.StepEnded:
        incident = run.incident
        return m.StepEnded(
            incident_id=incident.incident_id, version=incident.version, outcome=outcome, detail=detail, result=b"r"
        )

    def later(self, seconds: float) -> list[m.Command]:
        """So long, timer by timer."""
        until, commands = self.now + seconds, list[m.Command]()
        while (at := self.machine.next_timer()) is not None and at <= until:
            self.now = max(self.now, at)
            commands += self.tell(m.TimePassed())
        self.now = until
        return commands

    def report(self, component: str = "db", failure: str = "crash", **more: Any) -> list[m.Command]:
        return self.tell(m.TroubleReported(component=component, failure=failure, **more))

    def only(self) -> Incident:
        """The one incident."""
        (incident,) = self.machine.incidents()
        return incident

    @property
    def actions(self) -> list[str]:
        return [action for _, _, action, _ in self.ran]


def phases(commands: list[m.Command], incident_id: str | None = None) -> list[str]:
    """The phases among them."""
    told = [each.incident for each in commands if isinstance(each, m.TellPhase)]
    return [each.phase for each in told if incident_id in (None, each.incident_id)]


def answers(commands: list[m.Command]) -> list[tuple[str, str]]:
    """The answers among them: call, what."""
    return [(each.call, each.answer) for each in commands if isinstance(each, m.AnswerCall)]


def of(kind: type, commands: list[m.Command]) -> list[Any]:
    """The commands of this kind."""
    return [each for each in commands if isinstance(each, kind)]
