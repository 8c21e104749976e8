"""A breaker's machine in virtual time, and short words for what it is told and what it commands."""

from __future__ import annotations

from typing import Any

from actors.breaker import messages as m
from actors.breaker.machine import BreakerMachine
from actors.breaker.outcome import FAILED, SLOW, SUCCESS, Outcome
from actors.breaker.settings import BreakerSettings

GOOD, BAD, LATE = bytes([SUCCESS]), bytes([FAILED]), bytes([SLOW])


class Steady:
    """A chance that always falls in the same place."""

    def __init__(self, drawn: float = 0.0) -> None:
        self.drawn = drawn

    def random(self) -> float:
        return self.drawn


def fast(**fields: Any) -> BreakerSettings:
    """Opens at 2 of 4, after at least 2 calls; two probes; waits 5 s, then 10, then 20 at most; no jitter."""
    given: dict[str, Any] = {
        "window_calls": 4,
        "minimum_calls": 2,
        "open_s_max": 20.0,
        "open_jitter": 0.0,
        "half_open_permits": 2,
        "half_open_s_max": 30.0,
        "permit_lease_s": 10.0,
    }
    return BreakerSettings(**(given | fields))


class Scene:
    """One machine; every call answers with what it commands."""

    def __init__(self, *, now: float = 0.0, incarnation: int = 1, **fields: Any) -> None:
        self.settings = fast(**fields)
        self.now = now
        self.machine = BreakerMachine(self.settings, rng=Steady(), incarnation=incarnation, now=now)
        self.requests = 0

    def tell(self, event: m.Event) -> list[m.Command]:
        return self.machine.handle(event, self.now)

    def later(self, seconds: float) -> list[m.Command]:
        self.now += seconds
        return self.tell(m.TimePassed())

    def report(
        self, outcomes: bytes, *, reporter: str = "p", generation: int | None = None, **more: Any
    ) -> list[m.Command]:
        number = self.machine.generation if generation is None else generation
        return self.tell(m.OutcomesReported(reporter=reporter, generation=number, outcomes=outcomes, **more))

    def ask(self, holder: str = "p", request: int | None = None) -> m.GrantPermit | m.RefusePermit:
        self.requests += 1
        answers = self.tell(m.PermitRequested(holder=holder, request=self.requests if request is None else request))
        return next(each for each in answers if isinstance(each, m.GrantPermit | m.RefusePermit))

    def grant(self, holder: str = "p") -> m.GrantPermit:
        answer = self.ask(holder)
        assert isinstance(answer, m.GrantPermit), answer
        return answer

    def refuses(self, holder: str = "p") -> bool:
        return isinstance(self.ask(holder), m.RefusePermit)

    def end(self, grant: m.GrantPermit, outcome: Outcome = "success", **more: Any) -> list[m.Command]:
        given: dict[str, Any] = {
            "holder": grant.holder,
            "permit": grant.permit,
            "generation": grant.generation,
            "outcome": outcome,
        }
        return self.tell(m.PermitEnded(**(given | more)))

    def control(self, action: m.Action) -> list[m.Command]:
        return self.tell(m.ControlRequested(action=action, who="ann", reason="because"))

    def configure(self, **fields: Any) -> list[m.Command]:
        return self.tell(m.ConfigureRequested(settings=fast(**fields), who="ann", reason="because"))

    def vote(self, reporter: str, *, generation: int | None = None) -> list[m.Command]:
        number = self.machine.generation if generation is None else generation
        trip = m.Trip(rule="failure_rate", value=1.0, threshold=0.5, calls=4)
        return self.tell(m.OpenedLocally(reporter=reporter, generation=number, trip=trip))

    @property
    def state(self) -> str:
        return self.machine.state

    # -- ways to a state --------------------------------------------------------------------------------------------

    def opened(self) -> Scene:
        self.report(BAD * 2)
        assert self.state == "open"
        return self

    def half_opened(self) -> Scene:
        self.opened()
        self.later(5.0)
        assert self.state == "half_open"
        return self

    def ramping(self) -> Scene:
        self.half_opened()
        for grant in (self.grant(), self.grant()):
            self.end(grant)
        assert self.state == "ramping"
        return self


def moves(commands: list[m.Command]) -> list[tuple[str, str, str]]:
    """The transitions among them: from, to, why."""
    return [(each.before, each.after, each.cause.kind) for each in commands if isinstance(each, m.RecordTransition)]


def only(kind: type, commands: list[m.Command]) -> Any:
    """The one command of this kind."""
    (found,) = [each for each in commands if isinstance(each, kind)]
    return found
