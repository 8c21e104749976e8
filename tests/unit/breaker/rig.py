"""One gate in virtual time, with an owner made up by the test."""

from __future__ import annotations

from typing import Any

from actors.breaker import messages as m
from actors.breaker.gate import Gate
from actors.breaker.outcome import FAILED
from actors.breaker.published import GENERATION_BITS, Published, State
from actors.breaker.verdict import Admitted, Ask, Permit
from tests.unit.breaker.scene import Steady, fast

FIRST = 1 << GENERATION_BITS


class Rig:
    """One gate in virtual time."""

    def __init__(self, state: State = "closed", *, drawn: float = 0.0, alone: bool = False, **fields: Any) -> None:
        self.settings = fast(**fields)
        self.now = 100.0
        self.generation = FIRST
        published = Published(state=state, generation=self.generation)
        self.gate = Gate(self.settings, published, process="p", rng=Steady(drawn), now=self.now, alone=alone)

    def follow(self, state: State, *, generation: int | None = None, **more: Any) -> None:
        self.generation = self.generation + 1 if generation is None else generation
        published = Published(state=state, generation=self.generation, **more)
        self.gate.follow(published, self.settings, self.now)

    def admit(self) -> Any:
        return self.gate.admit(self.now)

    def passes(self) -> bool:
        return isinstance(self.admit(), Admitted)

    def end(self, *codes: int, ticket: int | None = None) -> list[bool]:
        number = self.gate.ticket if ticket is None else ticket
        return [self.gate.record(code, number, self.now) for code in codes]

    def grant(self, permit: int = 1) -> Permit:
        asked = self.admit()
        assert isinstance(asked, Ask), asked
        made = self.gate.granted(
            m.GrantPermit(holder="p", request=asked.request, permit=permit, generation=self.generation, lease_s=10.0),
            self.now,
        )
        assert isinstance(made, Permit)
        return made

    def finish(self, permit: Permit, outcome: Any = "success", **more: Any) -> m.PermitEnded | None:
        return self.gate.end_permit(permit, outcome, self.now, **more)

    def self_opened(self) -> Rig:
        self.end(FAILED, FAILED)
        assert self.gate.state(self.now) == "open"
        return self

    def probing(self) -> Rig:
        self.self_opened()
        self.gate.take_reports()
        self.now += 5.0
        assert self.gate.state(self.now) == "half_open"
        return self
