"""A monitor's machine in virtual time, and short words for what it is told and what it commands."""

from __future__ import annotations

from typing import Any

from actors.health import messages as m
from actors.health.answers import Outcome, Table
from actors.health.machine import MonitorMachine
from actors.health.settings import MonitorSettings, ProbeSettings


def probe(component: str = "db", **fields: Any) -> ProbeSettings:
    """Each second, half a second at most; three bad ones in a row."""
    given: dict[str, Any] = {"component": component, "interval_s": 1.0, "timeout_s": 0.5}
    return ProbeSettings(**(given | fields))


def quiet(**fields: Any) -> MonitorSettings:
    """Samples and snapshots are far away, and every check is logged."""
    given: dict[str, Any] = {"sample_s": 3600.0, "snapshot_s": 86_400.0, "blind_after_s": 3600.0, "log_passed_s": 0.0}
    return MonitorSettings(**(given | fields))


class Scene:
    """One monitor; every call answers with what it commands."""

    def __init__(self, **fields: Any) -> None:
        self.now = 1000.0
        self.machine = MonitorMachine(quiet(**fields), now=self.now)
        self.answers: dict[tuple[str, str, str], Outcome | None] = {}
        """What each probe answers, by component, kind and place; "passed" unless said, None: not at all."""
        self.tables: dict[str, Table] = {}
        """What the checks of a component see of Ray's table, where they look there."""
        self.running: dict[int, m.RunProbe] = {}

    def tell(self, event: m.Event) -> list[m.Command]:
        commands = self.machine.handle(event, self.now)
        self.running |= {each.number: each for each in commands if isinstance(each, m.RunProbe)}
        return commands

    def register(self, component: str = "db", **fields: Any) -> list[m.Command]:
        return self.tell(m.ProbeRegistered(settings=probe(component, **fields)))

    def answer(self, component: str, outcome: Outcome | None, *, kind: str = "liveness", place: str = "") -> None:
        self.answers[component, kind, place] = outcome

    def end(self, number: int, outcome: Outcome = "passed", **more: Any) -> list[m.Command]:
        self.running.pop(number, None)
        return self.tell(m.ProbeEnded(number=number, outcome=outcome, **more))

    def tick(self) -> list[m.Command]:
        """To the next timer, with the answers of what runs then."""
        self.now = max(self.now, self.machine.next_timer())
        commands = self.tell(m.TimePassed())
        for run in [each for each in commands if isinstance(each, m.RunProbe)]:
            outcome = self.answers.get((run.component, run.kind, run.place), "passed")
            if outcome is not None:
                detail, table = "" if outcome == "passed" else "bad", self.tables.get(run.component, "")
                commands += self.end(run.number, outcome, duration_s=0.01, detail=detail, table=table)
        return commands

    def run(self, seconds: float) -> list[m.Command]:
        """So long, timer by timer."""
        until = self.now + seconds
        commands: list[m.Command] = []
        while self.machine.next_timer() <= until:
            commands += self.tick()
        self.now = until
        return commands

    def state(self, component: str = "db") -> str:
        found = self.machine.component(component, self.now)
        assert found is not None
        return found.state


def turns(commands: list[m.Command]) -> list[tuple[str, str, str]]:
    """The changes among them: component, from, to."""
    return [(each.component, each.before, each.after) for each in commands if isinstance(each, m.TellChange)]


def of(kind: type, commands: list[m.Command]) -> list[Any]:
    """The commands of this kind."""
    return [each for each in commands if isinstance(each, kind)]
