"""Does a breaker with these settings ever open, and how much got through before? Answered in virtual time. Pure.

    calls -> gates of n processes --messages that take their time--> the owner's machine --its word--> gates

What runs is the code that runs in a cluster, the gate and the machine; only the calls, the messages and the time are
made up. Calls come evenly spaced, each in a process drawn at random. The same seed gives the same run.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import count

from actors.breaker import messages as m
from actors.breaker.chance import SeededChance
from actors.breaker.gate import Gate
from actors.breaker.machine import BreakerMachine
from actors.breaker.outcome import code_of
from actors.breaker.published import State
from actors.breaker.scenario import Phase, Scenario
from actors.breaker.settings import BreakerSettings
from actors.breaker.verdict import Admitted, Ask, Permit

_ROUNDING = 1e-9
"""Half a call too many by rounding is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One change of the cluster's breaker.

    Attributes:
        at: When, seconds from the beginning.
        state: What holds from then on.
        share: The fraction of the calls that pass while it ramps.
        why: The cause, in words.
    """

    at: float
    state: State
    share: float
    why: str


@dataclass(slots=True, kw_only=True)
class Load:
    """Calls of some time.

    Attributes:
        wanted: Calls that somebody wanted to make.
        passed: Those that passed, probes among them.
        failed: Those that passed and failed.
        refused: Those that did not pass.
    """

    wanted: int = 0
    passed: int = 0
    failed: int = 0
    refused: int = 0


@dataclass(slots=True, kw_only=True)
class SimulationReport:
    """What happened.

    Attributes:
        opened_at: When the cluster's breaker opened, each time, seconds from the beginning.
        self_opened_at: When the own calls of a process opened it, each time.
        before: The load until it first opened, or until the end.
        load: The load of the whole run.
        timeline: How the state changed, from the beginning.
        probes: Probes that were let through.
        probes_at_once: The most that ran at a time.
        duration_s: How long the run was, seconds.
    """

    opened_at: list[float] = field(default_factory=list)
    self_opened_at: list[float] = field(default_factory=list)
    before: Load = field(default_factory=Load)
    load: Load = field(default_factory=Load)
    timeline: list[Moment] = field(default_factory=list)
    probes: int = 0
    probes_at_once: int = 0
    duration_s: float = 0.0

    @property
    def opened(self) -> bool:
        """Whether it ever opened."""
        return bool(self.opened_at)

    @property
    def state(self) -> State:
        """What held at the end."""
        return self.timeline[-1].state

    def share_of(self, state: State) -> float:
        """The fraction of the time that it was in a state."""
        ends = [*(moment.at for moment in self.timeline[1:]), self.duration_s]
        spans = zip(self.timeline, ends, strict=True)
        return sum(end - moment.at for moment, end in spans if moment.state == state) / self.duration_s


def simulate(settings: BreakerSettings, scenario: Scenario) -> SimulationReport:
    """Run the scenario.

    Args:
        settings: The breaker's; if `open_s` is a function it is called here.
        scenario: What happens to what it guards.
    """
    return _World(settings, scenario).run()


class _World:
    """Everything that is made up, and the parts that are real."""

    def __init__(self, settings: BreakerSettings, scenario: Scenario) -> None:
        self._settings = settings
        self._scenario = scenario
        self._now = 0.0
        self._numbers = count()
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._calls = SeededChance(f"calls {scenario.seed}")
        self._machine = BreakerMachine(settings, rng=SeededChance(f"machine {scenario.seed}"))
        self._gates = [
            Gate(
                settings,
                self._machine.published(0.0),
                process=str(number),
                rng=SeededChance(f"gate {scenario.seed} {number}"),
                now=0.0,
            )
            for number in range(scenario.processes)
        ]
        for number in range(scenario.processes if scenario.nodes is not None else 0):
            node = f"node {number % (scenario.nodes or 1)}"
            self._machine.handle(m.ReporterSeated(reporter=str(number), node=node), 0.0)
        self._report_due = [False] * scenario.processes
        self._waiting: dict[tuple[int, int], Phase] = {}
        self._probing = 0
        self._report = SimulationReport(duration_s=scenario.duration_s)
        self._report.timeline.append(Moment(at=0.0, state="closed", share=1.0, why="the beginning"))

    def run(self) -> SimulationReport:
        """Until the last phase is over; what is under way then is not waited for."""
        begins_at = 0.0
        for phase in self._scenario.phases:
            self._at(begins_at, partial(self._arrive, phase, begins_at, 0))
            begins_at += phase.duration_s
        while self._agenda and self._agenda[0][0] < self._scenario.duration_s:
            self._now, _, act = heapq.heappop(self._agenda)
            act()
        return self._report

    def _at(self, at: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (at, next(self._numbers), act))

    def _send(self, act: Callable[[], None]) -> None:
        self._at(self._now + self._scenario.network_s, act)

    # -- calls ------------------------------------------------------------------------------------------------------

    def _arrive(self, phase: Phase, began_at: float, number: int) -> None:
        """The next call of a phase, and the one after it."""
        if number >= phase.duration_s * phase.calls_per_s - _ROUNDING:
            return
        self._at(began_at + (number + 1) / phase.calls_per_s, partial(self._arrive, phase, began_at, number + 1))
        process = int(self._calls.random() * len(self._gates))
        self._count("wanted")
        verdict = self._gates[process].admit(self._now)
        if isinstance(verdict, Admitted):
            self._pass(phase, partial(self._end, process, verdict.ticket))
        elif isinstance(verdict, Ask):
            self._waiting[process, verdict.request] = phase
            self._send(partial(self._tell, m.PermitRequested(holder=str(process), request=verdict.request)))
        else:
            self._count("refused")
        self._look_after_reports(process)

    def _pass(self, phase: Phase, end: Callable[[bool, float], None]) -> None:
        self._count("passed")
        failed = self._calls.random() < phase.failure_rate
        duration_s = phase.slow_s if self._calls.random() < phase.slow_rate else phase.latency_s
        if failed:
            self._count("failed")
        self._at(self._now + duration_s, partial(end, failed, duration_s))

    def _end(self, process: int, ticket: int, failed: bool, duration_s: float) -> None:  # noqa: FBT001 - by partial
        code = code_of("failure" if failed else "success", duration_s, self._settings)
        gate = self._gates[process]
        was_open = gate.state(self._now) == "open"
        at_once = gate.record(code, ticket, self._now, duration_s=duration_s)
        if not was_open and gate.state(self._now) == "open":
            self._report.self_opened_at.append(self._now)
        self._after(process, at_once=at_once)

    def _end_probe(self, process: int, permit: Permit, failed: bool, duration_s: float) -> None:  # noqa: FBT001 - by partial
        self._probing -= 1
        outcome = "failure" if failed else "success"
        event = self._gates[process].end_permit(permit, outcome, self._now, duration_s=duration_s)
        assert event is not None
        self._send(partial(self._tell, event))
        self._after(process, at_once=False)

    def _after(self, process: int, *, at_once: bool) -> None:
        gate = self._gates[process]
        if gate.wait_wanted is not None and callable(self._settings.open_s):
            gate.answer_wait(gate.wait_wanted, self._settings.open_s(gate.wait_wanted))
        if at_once:
            self._send_reports(process)
        else:
            self._look_after_reports(process)

    # -- messages ---------------------------------------------------------------------------------------------------

    def _look_after_reports(self, process: int) -> None:
        due_at = self._gates[process].report_at()
        if due_at is not None and not self._report_due[process]:
            self._report_due[process] = True
            self._at(max(self._now, due_at), partial(self._send_reports, process))

    def _send_reports(self, process: int) -> None:
        self._report_due[process] = False
        for event in self._gates[process].take_reports():
            self._send(partial(self._tell, event))

    def _tell(self, event: m.Event) -> None:
        """The machine hears of something; what it wants done goes out."""
        before = self._machine.next_timer()
        for command in self._machine.handle(event, self._now):
            self._obey(command)
        due_at = self._machine.next_timer()
        if due_at is not None and due_at != before:
            self._at(due_at, partial(self._tell, m.TimePassed()))

    def _obey(self, command: m.Command) -> None:
        match command:
            case m.Publish(published=published, settings=settings):
                for gate in self._gates:
                    self._send(lambda gate=gate: gate.follow(published, settings, self._now))
            case m.RecordTransition(after=state, cause=cause):
                self._remember(state, cause.detail)
                if state == "open":
                    self._report.opened_at.append(self._now)
            case m.NoteRampStep(step=step):
                self._remember("ramping", f"step {step + 1}")
            case m.AskOpenWait(generation=generation, openings=openings):
                assert callable(self._settings.open_s)
                wait_s = self._settings.open_s(openings)
                self._send(partial(self._tell, m.OpenWaitAnswered(generation=generation, wait_s=wait_s)))
            case m.GrantPermit():
                self._send(partial(self._granted, command))
            case m.RefusePermit(holder=holder, request=request):
                self._send(partial(self._denied, int(holder), request))
            case _:
                pass  # what is only shown or recorded

    def _granted(self, grant: m.GrantPermit) -> None:
        process = int(grant.holder)
        phase = self._waiting.pop((process, grant.request))
        permit = self._gates[process].granted(grant, self._now)
        assert permit is not None
        if isinstance(permit, Permit):
            self._probing += 1
            self._report.probes += 1
            self._report.probes_at_once = max(self._report.probes_at_once, self._probing)
            self._pass(phase, partial(self._end_probe, process, permit))
        else:  # the state has changed, or the lease is over, while the answer was under way
            self._count("refused")
            self._send(partial(self._tell, permit))

    def _denied(self, process: int, request: int) -> None:
        del self._waiting[process, request]
        self._gates[process].denied(request, self._now)
        self._count("refused")

    # -- what is told at the end ------------------------------------------------------------------------------------

    def _count(self, what: str) -> None:
        for load in (self._report.load,) if self._report.opened else (self._report.load, self._report.before):
            setattr(load, what, getattr(load, what) + 1)

    def _remember(self, state: State, why: str) -> None:
        share = self._machine.published(self._now).share
        self._report.timeline.append(Moment(at=self._now, state=state, share=share, why=why))
