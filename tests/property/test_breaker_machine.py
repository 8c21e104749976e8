"""The breaker's machine does what a plain model of its rules says, in every order of what can happen.

Calls that end late, permits given back twice, by others or never, holders that die, clocks that step back, settings
that change, owners that are lost: after each of them the same state holds, in the same generation, with the same
permits.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from actors.breaker import messages as m
from actors.breaker.machine import BreakerMachine
from actors.breaker.outcome import FAILED, SLOW
from actors.breaker.published import GENERATION_BITS, Published
from actors.breaker.rules import Trip
from actors.breaker.settings import BreakerSettings
from tests.property.breaker_model import NODES, Call, Model, Rules

PROCESSES = st.sampled_from(["p", "q", "r"])
OUTCOMES = st.sampled_from(["success", "success", "failure", "cancelled", "ignored"])
ACTIONS = st.sampled_from(["reset", "force_open", "disable", "shadow", "enable", "enable"])
LOTS = st.integers(0, 10_000)
CALLS = st.lists(st.builds(Call, failed=st.booleans(), slow=st.booleans()), max_size=6)
SLOW_S = 1.0
CLOCKS = st.sampled_from([-500, 0, 500])
TRIP = Trip(rule="failure_rate", value=1.0, threshold=0.5, calls=2)
RULES = st.sampled_from(
    [
        Rules(),
        Rules(ramp=(0.25, 1.0)),
        Rules(permits=3, required=2, lease_s=4),
        Rules(permits=1, required=1, lease_s=40),
        Rules(quorum=2),
        Rules(quorum=2, by_node=True),
        Rules(window=8, minimum=6, in_a_row=3, ramp=(0.5,), half_open_s=7),
        Rules(slow=0.5),
        Rules(window_s=20, minimum=4),
        Rules(window_s=20, minimum=3, failing=0.75, slow=0.5, in_a_row=4, ramp=(0.25, 1.0), ramp_step_s=25),
    ]
)


class NoChance:
    """Waits without jitter draw nothing that counts."""

    def random(self) -> float:
        return 0.5


def settings_of(rules: Rules) -> BreakerSettings:
    return BreakerSettings(
        failure_rate=rules.failing,
        consecutive_failures=rules.in_a_row,
        minimum_calls=rules.minimum,
        slow_call_rate=rules.slow,
        slow_call_s=None if rules.slow is None else SLOW_S,
        window_calls=rules.window if rules.window_s is None else None,
        window_s=rules.window_s,
        open_s=rules.open_s,
        open_s_max=rules.open_s_max,
        open_jitter=0.0,
        half_open_permits=rules.permits,
        half_open_success_rate=rules.required / rules.permits,
        half_open_s_max=rules.half_open_s,
        permit_lease_s=rules.lease_s,
        ramp=rules.ramp,
        ramp_step_s=rules.ramp_step_s,
        quorum=rules.quorum,
        quorum_of="nodes" if rules.by_node else "reporters",
    )


class Breakers(RuleBasedStateMachine):
    """The machine and the model, side by side."""

    @initialize(rules=RULES)
    def begin(self, rules: Rules) -> None:
        self.incarnation = 1
        self.machine = BreakerMachine(settings_of(rules), rng=NoChance())
        self.model = Model(rules, generation=self.machine.generation)
        self.now = 0
        self.generations = [self.machine.generation]
        self.grants: list[m.GrantPermit] = []
        self.requests = 0
        self.told = self.machine.published(0)
        self.seat()
        self.state = "closed"

    def seat(self) -> None:
        for process, node in NODES.items():
            self.machine.handle(m.ReporterSeated(reporter=process, node=node), float(self.now))

    def tell(self, event: m.Event) -> list[m.Command]:
        """Tell the machine, and check what it commands by itself."""
        commands = self.machine.handle(event, float(self.now))
        in_force: BreakerSettings | None = None
        for command in commands:
            if isinstance(command, m.RecordTransition):
                assert command.before == self.state
                assert command.generation > self.generations[-1]
                self.state = command.after
                self.generations.append(command.generation)
            elif isinstance(command, m.Publish):
                self.told, in_force = command.published, command.settings
        assert in_force is None or in_force == self.machine.settings
        return commands

    # -- calls ------------------------------------------------------------------------------------------------------

    @rule(calls=CALLS, process=PROCESSES)
    def report(self, calls: list[Call], process: str) -> None:
        self.report_of(calls, process, self.machine.generation)

    @rule(process=PROCESSES)
    def report_an_outage(self, process: str) -> None:
        self.report_of([Call(failed=True)] * self.model.rules.minimum, process, self.machine.generation)

    @rule(process=PROCESSES)
    def report_a_crawl(self, process: str) -> None:
        self.report_of([Call(slow=True)] * self.model.rules.minimum, process, self.machine.generation)

    @rule(calls=CALLS.filter(bool), process=PROCESSES, lot=LOTS)
    def report_late(self, calls: list[Call], process: str, lot: int) -> None:
        self.report_of(calls, process, self.generations[lot % len(self.generations)])

    def report_of(self, calls: list[Call], process: str, generation: int) -> None:
        outcomes = bytes(FAILED * call.failed | SLOW * call.slow for call in calls)
        self.tell(m.OutcomesReported(reporter=process, generation=generation, outcomes=outcomes))
        self.model.time(self.now)
        self.model.hear(process)
        self.model.report(calls, generation)

    @rule(process=PROCESSES, lot=st.integers(0, 4))
    def open_locally(self, process: str, lot: int) -> None:
        generation = self.generations[-1] if lot else self.generations[0]
        self.tell(m.OpenedLocally(reporter=process, generation=generation, trip=TRIP))
        self.model.time(self.now)
        self.model.hear(process)
        self.model.vote(process, generation)

    @precondition(lambda self: self.model.voters)
    @rule(process=PROCESSES)
    def close_locally(self, process: str) -> None:
        self.tell(m.ClosedLocally(reporter=process, generation=self.machine.generation))
        self.model.time(self.now)
        self.model.voters.discard(process)

    # -- permits ----------------------------------------------------------------------------------------------------

    @rule(process=PROCESSES)
    def ask(self, process: str) -> None:
        self.requests += 1
        commands = self.tell(m.PermitRequested(holder=process, request=self.requests))
        self.model.time(self.now)
        self.model.hear(process)
        grants = [each for each in commands if isinstance(each, m.GrantPermit)]
        refusals = [each for each in commands if isinstance(each, m.RefusePermit)]
        assert len(grants) + len(refusals) == 1
        assert len(grants) == (self.model.room() > 0)
        for grant in grants:
            assert grant.permit not in [each.permit for each in self.grants]
            assert grant.generation == self.model.generation
            self.grants.append(grant)
            self.model.lend(grant.permit, process)
            assert len(self.model.loans) <= self.model.rules.permits
        for refusal in refusals:
            assert refusal.retry_after_s >= 0

    @precondition(lambda self: self.grants)
    @rule(lot=LOTS)
    def ask_again(self, lot: int) -> None:
        """The answer was lost. A permit that is out is granted again; for one that is not this is a new request."""
        former = self.grants[lot % len(self.grants)]
        self.tell(m.TimePassed())
        self.model.time(self.now)
        if former.permit in self.model.loans:
            commands = self.tell(m.PermitRequested(holder=former.holder, request=former.request))
            self.model.hear(former.holder)
            (grant,) = [each for each in commands if isinstance(each, m.GrantPermit)]
            assert (grant.permit, grant.generation) == (former.permit, former.generation)

    @precondition(lambda self: self.grants)
    @rule(lot=LOTS, outcome=OUTCOMES, slow=st.booleans())
    def end(self, lot: int, outcome: Any, *, slow: bool) -> None:
        """A probe ends, now or long ago, the first time or again."""
        grant = self.grants[lot % len(self.grants)]
        self.end_of(grant.permit, grant.holder, grant.generation, outcome, slow=slow)

    @precondition(lambda self: self.grants)
    @rule(outcome=OUTCOMES)
    def end_latest(self, outcome: Any) -> None:
        grant = self.grants[-1]
        self.end_of(grant.permit, grant.holder, grant.generation, outcome)

    @precondition(lambda self: self.model.loans)
    @rule(lot=LOTS, wrong=st.sampled_from(["permit", "holder", "generation"]), outcome=OUTCOMES)
    def end_wrongly(self, lot: int, wrong: str, outcome: Any) -> None:
        """Somebody gives back what is not out, is another's, or was granted in another generation."""
        out = sorted(self.model.loans)
        permit = out[lot % len(out)]
        loan = self.model.loans[permit]
        self.end_of(
            lot if wrong == "permit" else permit,
            {"p": "q", "q": "r", "r": "p"}[loan.holder] if wrong == "holder" else loan.holder,
            self.generations[lot % len(self.generations)] if wrong == "generation" else loan.generation,
            outcome,
        )

    def end_of(self, permit: int, holder: str, generation: int, outcome: Any, *, slow: bool = False) -> None:
        """Whether it was slow, only those settings ask that judge it by that."""
        took_s = SLOW_S + slow
        self.tell(
            m.PermitEnded(holder=holder, permit=permit, generation=generation, outcome=outcome, duration_s=took_s)
        )
        self.model.time(self.now)
        self.model.end(permit, holder, generation, outcome, slow=slow and self.model.rules.slow is not None)

    @rule(process=PROCESSES)
    def die(self, process: str) -> None:
        self.tell(m.HolderDied(holder=process))
        self.model.time(self.now)
        self.model.die(process)
        self.seat()

    # -- time, people, owners ---------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1, 1, 2, 3, 4, 5, 10, 20, 31]))
    def wait(self, seconds: int) -> None:
        self.now += seconds
        self.tell(m.TimePassed())
        self.model.time(self.now)

    @precondition(lambda self: self.model.until is not None)
    @rule()
    def wait_until_the_state_changes(self) -> None:
        self.now = max(self.now, self.model.until or 0)
        self.tell(m.TimePassed())
        self.model.time(self.now)

    @precondition(lambda self: self.model.state == "half_open")
    @rule(process=PROCESSES)
    def probe_until_it_is_decided(self, process: str) -> None:
        generation = self.model.generation
        while self.model.generation == generation and self.model.room() > 0:
            self.ask(process)
            if self.model.generation == generation and self.model.loans:
                self.end_latest("success")

    @rule(seconds=st.integers(-20, 10).filter(bool))
    def move_the_clock(self, seconds: int) -> None:
        """Forwards without a timer: the next event finds it due. Backwards: no time has passed, whatever it says."""
        if seconds > 0:
            self.now += seconds
            return
        self.now = max(self.now, self.model.now)
        self.tell(m.TimePassed())
        self.model.time(self.now)
        latest, self.now = self.now, self.now + seconds
        self.tell(m.TimePassed())
        self.now = latest

    @rule(what=st.sampled_from(["control", "configure", "lose"]), data=st.data())
    def upset(self, what: str, data: st.DataObject) -> None:
        """One rule for all that is rare, so that calls and probes are what happens most."""
        if what == "control":
            self.control(data.draw(ACTIONS))
        elif what == "configure":
            self.configure(data.draw(RULES))
        else:
            self.lose_the_owner(data.draw(st.sampled_from([0, 1, 7])), data.draw(st.booleans()), data.draw(CLOCKS))

    def control(self, action: Any) -> None:
        self.tell(m.ControlRequested(action=action, who="ann", reason="test"))
        self.model.time(self.now)
        self.model.control(action)

    def configure(self, rules: Rules) -> None:
        self.tell(m.ConfigureRequested(settings=settings_of(rules), who="ann", reason="test"))
        self.model.time(self.now)
        self.model.configure(rules)

    def lose_the_owner(self, lost_s: int, known: bool, clock: int) -> None:
        """Its successor has another clock, and what was kept; the permits that are out, or that some may be."""
        self.tell(m.TimePassed())
        self.model.time(self.now)
        kept = self.machine.kept(float(self.now)).aged(lost_s)
        self.incarnation += 1
        self.now += lost_s + clock
        self.machine = BreakerMachine(kept.settings, rng=NoChance(), incarnation=self.incarnation, now=float(self.now))
        unknown_s = 0.0 if known else kept.settings.permit_lease_s
        recovered = kept if known else replace(kept, leases=())
        self.generations.append((self.incarnation << GENERATION_BITS) + 1)
        self.tell(m.StateRecovered(kept=recovered, unknown_leases_s=unknown_s))
        self.seat()
        first = (self.incarnation << GENERATION_BITS) + 1
        self.model.succeed(first, now=self.now, lost_s=lost_s, known=known)

    # -- what always holds ------------------------------------------------------------------------------------------

    @invariant()
    def both_say_the_same(self) -> None:
        if not hasattr(self, "model"):
            return
        view, model = self.machine.view(float(self.model.now)), self.model
        assert (self.machine.state, self.machine.generation) == (model.state, model.generation)
        assert view.permits_out == len(model.loans)
        assert set(view.voters) == model.voters
        assert view.votes is not None
        assert view.votes.agreed == model.agreed()
        assert view.published == Published(
            state=self.machine.state,
            generation=model.generation,
            share=model.rules.ramp[model.step] if model.state == "ramping" else 1.0,
            wait_s=model.until - model.now if model.state == "open" and model.until is not None else 0.0,
            openings=model.openings,
            step=model.step,
            rules=view.published.rules,
        )
        assert view.probes_succeeded == sum(model.probes)
        assert view.would_be_open == (model.state == "shadow" and model.until is not None)
        counted = model.counted()
        assert view.calls == len(counted)
        assert view.slow_rate == (sum(call.slow for call in counted) / len(counted) if counted else 0.0)

    @invariant()
    def everybody_was_told_and_nothing_is_overdue(self) -> None:
        if not hasattr(self, "model"):
            return
        assert (self.told.state, self.told.generation) == (self.machine.state, self.machine.generation)
        assert self.told.share == self.machine.published(0.0).share
        due = [at for at in (self.model.until, *(loan.until for loan in self.model.loans.values())) if at is not None]
        assert self.machine.next_timer() == min(due, default=None)
        assert all(at > self.model.now for at in due)


TestBreakers = Breakers.TestCase
TestBreakers.settings = settings(max_examples=150, stateful_step_count=50, deadline=None)
