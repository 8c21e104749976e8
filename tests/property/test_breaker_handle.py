"""A handle and its owner in one process, in virtual time, against a small model: what is told late changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from actors.breaker.errors import CircuitOpenError
from tests.unit.breaker.town import BreakError, Town, bad, good

IN_A_ROW = 3
PERMITS = 2
LEASE_S = 10.0
PAUSE_S = 1.0


@dataclass
class Held:
    """A permit that the test has, and when it was got."""

    permit: Any
    generation: int
    expires_at: float

    @property
    def is_probe(self) -> bool:
        return self.permit.is_probe


class BreakerMachine(RuleBasedStateMachine):
    """The model: failures in a row of this generation while closed, probes that ended while half-open."""

    def __init__(self) -> None:
        super().__init__()
        self.town = Town(failure_rate=None, consecutive_failures=IN_A_ROW, permit_lease_s=LEASE_S)
        self.held: list[Held] = []
        self.seen = self.generation
        self.run = self.successes = self.failures = 0
        self.refused_at = self.opened_at = float("-inf")
        self.wait_s = 0.0

    @property
    def now(self) -> float:
        return self.town.clock.time

    @property
    def generation(self) -> int:
        self.town.circuit.look()
        return self.town.circuit.gate.published.generation

    @property
    def state(self) -> str:
        return self.town.breaker.state

    def begin_anew_if_it_moved(self) -> None:
        if self.generation != self.seen:
            self.seen = self.generation
            self.run = self.successes = self.failures = 0
            if self.state == "open":
                self.opened_at, self.wait_s = self.now, self.town.breaker.retry_after_s

    def expect(self, outcome: str, generation: int, *, probe: bool, state: str) -> None:
        """What one result may have done, and nothing else."""
        counted = generation == self.seen and outcome != "neutral"
        if state == "closed" and counted and not probe:
            self.run = self.run + 1 if outcome == "failure" else 0
        elif state == "half_open" and counted and probe:
            self.successes += outcome == "success"
            self.failures += outcome == "failure"
        opens = (state == "closed" and self.run >= IN_A_ROW) or (state == "half_open" and self.failures > 0)
        closes = state == "half_open" and self.successes >= PERMITS
        expected = "open" if opens else "closed" if closes else state
        assert self.state == expected, (state, outcome, self.run, self.successes, self.failures)
        assert (self.generation != self.seen) == (expected != state)
        self.begin_anew_if_it_moved()

    # -- what callers do --------------------------------------------------------------------------------------------

    @rule(outcome=st.sampled_from(["success", "failure", "neutral"]))
    def call(self, outcome: str) -> None:
        state, generation = self.state, self.generation
        try:
            self.town.breaker.call({"success": good, "failure": bad, "neutral": _interrupted}[outcome])
        except CircuitOpenError:
            assert state != "closed"
            self.refused_at = self.now
            assert self.generation == generation
        except (BreakError, KeyboardInterrupt):
            assert state in ("closed", "half_open")
            self.expect(outcome, generation, probe=state == "half_open", state=state)
        else:
            assert state in ("closed", "half_open")
            self.expect(outcome, generation, probe=state == "half_open", state=state)

    @precondition(lambda self: len(self.held) < 6)
    @rule()
    def acquire(self) -> None:
        state = self.state
        out = sum(held.is_probe and held.expires_at > self.now for held in self.held)
        room = PERMITS - self.successes - self.failures - out
        permit = self.town.breaker.try_acquire()
        assert self.state == state
        if permit is None:
            assert state != "closed"
            assert state == "open" or room <= 0 or self.now < self.refused_at + PAUSE_S
            self.refused_at = self.now
            return
        assert (permit.is_probe, state) in ((False, "closed"), (True, "half_open"))
        assert not permit.is_probe or room > 0
        self.held.append(Held(permit, self.generation, self.now + LEASE_S))

    @precondition(lambda self: self.held)
    @rule(which=st.integers(0, 5), outcome=st.sampled_from(["success", "failure", "neutral"]), twice=st.booleans())
    def end(self, which: int, outcome: str, twice: bool) -> None:
        held, state = self.held.pop(which % len(self.held)), self.state
        expired = held.is_probe and held.expires_at <= self.now
        for _ in range(1 + twice):
            {"success": held.permit.success, "failure": held.permit.failure, "neutral": held.permit.cancel}[outcome]()
        self.expect("neutral" if expired else outcome, held.generation, probe=held.is_probe, state=state)

    # -- time and people --------------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([0.01, 0.06, 1.1, 5.0, 10.0, 31.0]))
    def later(self, seconds: float) -> None:
        state = self.state
        self.town.later(seconds)
        assert self.state in {"closed": ("closed",)}.get(state, ("open", "half_open"))
        if state == "open" and self.now < self.opened_at + self.wait_s:
            assert self.state == "open"
        self.begin_anew_if_it_moved()

    @rule(action=st.sampled_from(["reset", "force_open", "enable"]))
    def control(self, action: str) -> None:
        getattr(self.town.breaker, action)(reason="test")
        if self.state == "forced_open":
            assert self.town.breaker.try_acquire() is None
            self.town.breaker.enable(reason="test")
        self.begin_anew_if_it_moved()

    @rule()
    def flush(self) -> None:
        state, generation = self.state, self.generation
        self.town.circuit.flush()
        assert (self.state, self.generation) == (state, generation)

    # -- always -----------------------------------------------------------------------------------------------------

    @invariant()
    def never_more_probes_than_permits(self) -> None:
        assert self.town.view.permits_out <= PERMITS
        mine = sum(held.is_probe and held.expires_at > self.now for held in self.held)
        assert mine <= PERMITS
        assert self.town.view.permits_out == mine

    @invariant()
    def process_and_owner_agree(self) -> None:
        assert self.town.view.published.state == self.state
        assert self.town.view.published.generation == self.generation


def _interrupted() -> None:
    raise KeyboardInterrupt


TestBreakerHandle = BreakerMachine.TestCase
TestBreakerHandle.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
