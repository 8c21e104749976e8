"""Whatever happens to healers, steps, probes and the healer itself: limits hold, nothing is done twice, all ends.

The journal holds what was confirmed, and records are confirmed late or never. A life of the healer ends at any moment,
and the next one knows the journal alone.
"""

from __future__ import annotations

from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from actors.healer import messages as m
from actors.healer.incident import LEGAL, Incident
from actors.healer.machine import HealerMachine
from actors.healer.routing import Healer
from actors.healer.settings import HealerSettings, PlanRule
from actors.recovery.retry import Fallback, Retry
from actors.recovery.strategies import Escalate, Isolate, Restart, Restore

PLANS = (
    PlanRule(strategies=(Retry(attempts=3), Restart(), Escalate(repeats=2, repeat_s=20.0))),
    PlanRule(component="b", strategies=(Isolate(), Restore(), Restart())),
    PlanRule(component="c", strategies=(Fallback(len, stale_s=9.0), Retry(attempts=2, unknown="never"), Isolate())),
)
SETTINGS = HealerSettings(
    plans=PLANS, in_flight=2, incident_timeout_s=300.0, verify_s=5.0, open_max=8, escalated_s=50.0, learn_least=1
)
COMPONENTS = st.sampled_from(["a", "b", "c", "d"])
FAILURES = st.sampled_from(["crash", "network"])
LOTS = st.integers(0, 1000)
OUTCOMES = st.sampled_from(["succeeded", "failed", "refused", "unknown"])
VERDICTS = st.sampled_from(["passed", "failed", "failed", "unprobed"])


class Healing(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.now, self.life, self.calls = 0.0, 0, 0
        self.journal: dict[str, Incident] = {}
        self.ages: dict[str, float] = {}
        self.holds: dict[str, tuple[str, str]] = {}
        self.ran: set[tuple[str, int, str, int, str]] = set()
        self.phases: dict[str, str] = {}
        self.answered: set[str] = set()
        self.live()
        self.healers = (Healer(name="h0", node="n0"), Healer(name="h1", node="n1"))
        self.tell(m.HealersChanged(healers=self.healers))

    def live(self) -> None:
        self.life += 1
        self.machine = HealerMachine(SETTINGS, rng=Random(self.life), life=str(self.life), now=self.now)
        self.unconfirmed: list[Incident] = []
        self.running: list[m.RunStep] = []
        self.asked: list[m.Verify] = []

    def tell(self, event: m.Event) -> None:
        for command in self.machine.handle(event, self.now):
            if isinstance(command, m.RecordIncident):
                self.unconfirmed.append(command.incident)
                self.ages.setdefault(command.incident.incident_id, self.now)
            elif isinstance(command, m.RunStep):
                self.check_run(command)
            elif isinstance(command, m.Verify):
                self.asked.append(command)
            elif isinstance(command, m.TellPhase):
                self.check_phase(command)
            elif isinstance(command, m.AnswerCall):
                assert command.call not in self.answered
                self.answered.add(command.call)

    def check_run(self, run: m.RunStep) -> None:
        incident, step = run.incident, run.step
        assert self.journal[incident.incident_id].begun == step, "it is on record before it is run"
        assert incident.component not in self.holds
        assert run.healer in {each.name for each in self.healers}
        call = incident.call if step.action in ("call", "provider", "stale") else ""
        assert bool(call) == (step.action in ("call", "provider", "stale"))
        key = (incident.incident_id, incident.position, step.action, step.number, type(run.strategy).__name__)
        assert step.repeatable or key not in self.ran, "no step with an effect is taken twice"
        self.ran.add(key)
        self.running.append(run)

    def check_phase(self, told: m.TellPhase) -> None:
        name, phase = told.incident.incident_id, told.incident.phase
        if told.before is not None:
            assert phase in LEGAL[told.before]
            assert self.phases.get(name) == told.before or self.life > 1
        else:
            self.check_new(told.incident)
        self.phases[name] = phase

    def check_new(self, incident: Incident) -> None:
        """What people have taken over is theirs for a while, whoever lives."""
        for name, known in self.journal.items():
            if known.phase == self.phases[name] == "escalated" and known.component == incident.component:
                since_s = self.now - self.ages[name] - known.escalated_after_s
                assert known.failure != incident.failure or since_s >= SETTINGS.escalated_s - 1e-6

    # -- what happens -------------------------------------------------------------------------------------------------

    @rule(component=COMPONENTS, failure=FAILURES, called=st.booleans(), severity=st.sampled_from(["low", "high"]))
    def report(self, component: str, failure: str, called: bool, severity: str) -> None:
        self.calls += 1
        call = f"call{self.calls}" if called else ""
        self.tell(
            m.TroubleReported(component=component, failure=failure, severity=severity, call=call)  # pyright: ignore[reportArgumentType]
        )

    @precondition(lambda self: self.unconfirmed)
    @rule()
    def confirm(self) -> None:
        incident = self.unconfirmed.pop(0)
        self.journal[incident.incident_id] = incident
        self.tell(m.IncidentRecorded(incident_id=incident.incident_id, version=incident.version))

    @precondition(lambda self: self.unconfirmed)
    @rule()
    def confirm_all(self) -> None:
        while self.unconfirmed:
            self.confirm()

    @precondition(lambda self: self.running)
    @rule(lot=LOTS, outcome=OUTCOMES, twice=st.booleans())
    def end(self, lot: int, outcome: str, twice: bool) -> None:
        run = self.running.pop(lot % len(self.running))
        incident = run.incident
        for _ in range(1 + twice):
            self.tell(
                m.StepEnded(
                    incident_id=incident.incident_id,
                    version=incident.version,
                    outcome=outcome,  # pyright: ignore[reportArgumentType]
                )
            )

    @precondition(lambda self: self.asked)
    @rule(lot=LOTS, verdict=VERDICTS)
    def verify(self, lot: int, verdict: str) -> None:
        asked = self.asked.pop(lot % len(self.asked))
        self.tell(
            m.VerificationEnded(
                incident_id=asked.incident_id,
                number=asked.number,
                verdict=verdict,  # pyright: ignore[reportArgumentType]
            )
        )

    @rule(seconds=st.sampled_from([0.1, 1.0, 7.0, 40.0]))
    def wait(self, seconds: float) -> None:
        until = self.now + seconds
        while (at := self.machine.next_timer()) is not None and at <= until:
            self.now = max(self.now, at)
            self.tell(m.TimePassed())
        self.now = until

    @rule(component=COMPONENTS, held=st.booleans())
    def hold(self, component: str, held: bool) -> None:
        if held:
            self.holds[component] = ("ann", "why")
            self.tell(m.HoldRequested(component=component, who="ann", reason="why"))
        else:
            self.holds.pop(component, None)
            self.tell(m.ReleaseRequested(component=component))

    @rule(names=st.sets(st.sampled_from(["h0", "h1", "h2"])))
    def change_healers(self, names: set[str]) -> None:
        self.healers = tuple(Healer(name=name, node=f"n{name}") for name in sorted(names))
        self.tell(m.HealersChanged(healers=self.healers))

    @rule(chain=st.sampled_from([{}, {"b": ("a",)}, {"a": ("b",), "b": ("c",)}, {"a": ("b",), "b": ("a",)}]))
    def depend(self, chain: dict[str, tuple[str, ...]]) -> None:
        self.tell(m.DependenciesChanged(depends_on=chain))

    @rule(component=COMPONENTS)
    def become_well(self, component: str) -> None:
        self.tell(m.TroubleEnded(component=component))

    @precondition(lambda self: self.journal)
    @rule(lot=LOTS)
    def acknowledge(self, lot: int) -> None:
        names = sorted(self.journal)
        self.tell(m.Acknowledged(incident_id=names[lot % len(names)], who="ann"))

    @precondition(lambda self: self.calls)
    @rule(lot=LOTS)
    def abandon(self, lot: int) -> None:
        self.answered.discard(f"call{lot % self.calls}")
        self.tell(m.CallAbandoned(call=f"call{lot % self.calls}"))

    @rule()
    def die(self) -> None:
        kept = tuple(
            m.KeptIncident(incident=each, age_s=self.now - self.ages[name])
            for name, each in self.journal.items()
            if each.phase != "resolved"
        )
        self.answered.clear()  # an answer that was not confirmed may be given again: who waits takes the first
        self.live()
        self.tell(m.JournalRecovered(kept=m.KeptHealer(incidents=kept, holds=self.holds, depends_on={})))
        self.tell(m.HealersChanged(healers=self.healers))

    # -- what holds ---------------------------------------------------------------------------------------------------

    @invariant()
    def the_limit_holds(self) -> None:
        told = self.machine.statistics()
        assert 0 <= told.in_flight <= SETTINGS.in_flight
        assert told.open <= SETTINGS.open_max

    def teardown(self) -> None:
        """Left alone, with healers, every incident ends."""
        if not hasattr(self, "machine"):
            return
        for component in list(self.holds):
            self.hold(component, held=False)
        self.healers = (Healer(name="last", node="n"),)
        self.tell(m.HealersChanged(healers=self.healers))
        for _ in range(8 * 10):
            while self.unconfirmed:
                self.confirm()
            self.wait(10.0)
        assert self.machine.incidents(open_only=True) == ()
        assert self.machine.statistics().in_flight == 0


TestHealing = Healing.TestCase
TestHealing.settings = settings(max_examples=100, stateful_step_count=60, deadline=None)
