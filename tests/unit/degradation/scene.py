"""The degradation's machine in virtual time, and short words for what it is told and what it commands."""

from __future__ import annotations

from typing import Any

from actors.degradation import messages as m
from actors.degradation.machine import DegradationMachine
from actors.degradation.settings import DegradationSettings, FeatureSettings, LevelRule, OverrideSettings

SCORE = LevelRule(level="emergency", signal="system_score", enter=50, leave=70)
BREAKER = LevelRule(level="reduced", signal="breaker_openness", of="db", enter=1, leave=0)
QUEUE = LevelRule(level="minimal", signal="queue_pressure", enter=0.9, leave=0.5, at_once=True)


def feature(name: str = "chat", **fields: Any) -> FeatureSettings:
    return FeatureSettings(name=name, **fields)


class Scene:
    """One machine: down after 5 s, up after 30; every call answers with what it commands."""

    def __init__(self, *rules: LevelRule, **fields: Any) -> None:
        self.now = 1000.0
        given: dict[str, Any] = {"rules": rules or (SCORE, BREAKER, QUEUE)}
        self.machine = DegradationMachine(DegradationSettings(**(given | fields)), now=self.now)

    def tell(self, event: m.Event) -> list[m.Command]:
        return self.machine.handle(event, self.now)

    def later(self, seconds: float) -> list[m.Command]:
        """So long, timer by timer."""
        until, commands = self.now + seconds, list[m.Command]()
        while (at := self.machine.next_timer()) is not None and at <= until:
            self.now = max(self.now, at)
            commands += self.tell(m.TimePassed())
        self.now = until
        return commands

    def score(self, value: float | None) -> list[m.Command]:
        return self.tell(m.SignalsSeen(signals={("system_score", ""): value}))

    def breaker(self, value: float) -> list[m.Command]:
        return self.tell(m.SignalsSeen(signals={("breaker_openness", "db"): value}))

    def queue(self, value: float, name: str = "q") -> list[m.Command]:
        return self.tell(m.SignalsSeen(signals={("queue_pressure", name): value}))

    def declare(self, name: str = "chat", **fields: Any) -> list[m.Command]:
        return self.tell(m.FeatureDeclared(feature=feature(name, **fields)))

    def set(self, level: str, until_s: float | None = None) -> list[m.Command]:
        override = OverrideSettings(level=level, who="ann", reason="because", until_s=until_s)
        return self.tell(m.LevelSet(override=override))


def moves(commands: list[m.Command]) -> list[tuple[str, str, str]]:
    """The changes of level among them: from, to, why."""
    return [(each.before, each.after, each.kind) for each in commands if isinstance(each, m.RecordLevel)]
