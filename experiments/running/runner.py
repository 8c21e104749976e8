"""The shell of a run: events from threads, timers and flags go into its machines; their commands are carried out.

It decides nothing. What is written down of a fault is durable before its next command is carried out. What takes time
is done on threads, writing into another node's ledger among it, so that a stop waits for nobody.
"""

from __future__ import annotations

import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, assert_never

from actors.runtime.clock import SYSTEM_CLOCK, sleep
from experiments.faults.proof import Sight, prove
from experiments.guards import machine as guards
from experiments.judging.facts import ProbeFact
from experiments.ledger import messages as m
from experiments.ledger.entry import Entry
from experiments.ledger.machine import RunMachine
from experiments.report.run import HealthPoint
from experiments.running.chains import Chains
from experiments.running.findings import Findings, look, strikes_of
from experiments.running.points import EVERYWHERE, is_at_a_point
from experiments.running.watching import Errors, read_guard

if TYPE_CHECKING:
    from collections.abc import Callable

    from experiments.hands.hands import Hands
    from experiments.judging.facts import When
    from experiments.model.experiment import Experiment
    from experiments.planning.plan import Plan
    from experiments.running.books import Books
    from experiments.running.load import RunningLoad
    from experiments.running.probing import Probes
    from experiments.running.striking import Striker

LOOK_EVERY_S = 0.1
"""How often the halt flag is looked for."""

HEALTH_EVERY_S = 0.5

_PROVE_FAST_S, _PROVE_SLOW_S, _FAST_FOR_S = 0.002, 0.05, 0.3
_PROVE_ASKED_S, _PROVE_BUSY_S = 0.1, 0.5
_THREADS = 24
"""Beside those of faults, of which each may be looked at until its lease ends: an undo and a guard wait for none."""

_WRITTEN_S = 20.0
"""How long a run that has ended waits for ledgers that do not answer; a hand waits less for its node, seconds."""

_IN_TURN_S = 1.0
"""How long the end of a run waits to be written after the ends of its faults, seconds."""

_END_S = 60.0
"""How long a runner that has failed goes on undoing, seconds."""


class Runner:
    """One run.

    Args:
        experiment: What is run.
        plan: What is done to whom.
        run: Its name.
        books: Where it is written down.
        striker: Does what is done to targets.
        probes: What is looked at.
        load: What runs meanwhile.
        hands: For the flags of this node.
        conclude: Comes to a verdict, on a thread, given what was found.
    """

    def __init__(  # noqa: PLR0913 - one argument for each part that it puts together
        self,
        experiment: Experiment,
        plan: Plan,
        *,
        run: str,
        books: Books,
        striker: Striker,
        probes: Probes,
        load: RunningLoad,
        hands: Hands,
        conclude: Callable[[Findings], m.Concluded],
    ) -> None:
        self._experiment = experiment
        self._run = run
        self._books = books
        self._striker = striker
        self._probes = probes
        self._load = load
        self._hands = hands
        self._conclude = conclude
        now = SYSTEM_CLOCK.now()
        self.findings = Findings(began_at=now, began_us=SYSTEM_CLOCK.wall_us(), plan=plan)
        self._machine = RunMachine(plan, experiment.chaos, now=now)
        self._guards = guards.GuardsMachine((), now=now)
        self._guard_of = {guard.name: guard for guard in experiment.chaos.safety.guards}
        self._events: queue.SimpleQueue[m.Event | guards.Event] = queue.SimpleQueue()
        hits = sum(len(fault.hits) for fault in plan.faults)
        self._pool = ThreadPoolExecutor(_THREADS + 3 * hits, thread_name_prefix="chaos")
        self._chains = Chains(self._pool, self._on_failure)
        self._orders: dict[str, m.FaultOrder] = {}
        self._unprepared: dict[str, str] = {}
        self._unwritten: set[str] = set()
        self._called_off: set[str] = set()
        self._in_line: set[str] = set()
        self._lock = threading.Lock()
        self._before: dict[str, Sight] = {}
        self._over = False
        self._during_at = self._health_at = now
        self._ended: m.EndRun | None = None

    def execute(self) -> m.EndRun:
        """Carry it out; how it ended. Nothing is left on when this returns or raises, or what is, is told.

        Not on a program's main thread: see `experiments.running.interrupting`.
        """
        try:
            return self._drive()
        finally:
            self._over = True
            self._chains.wait(_WRITTEN_S)
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._striker.close()

    def stop(self, why: str) -> None:
        """Have it end, from any thread; one that has not begun ends before anything is injected."""
        self._events.put(m.StopRequested(why=why))

    def _drive(self) -> m.EndRun:
        # A guard's age counts from here: what was looked at before the first step took its time.
        self._guards = guards.GuardsMachine(tuple(self._guard_of.values()), now=SYSTEM_CLOCK.now())
        try:
            self._load.start(self.findings.began_at)
            self._handle(m.RunStarted())
            while self._ended is None:
                self._turn()
        except BaseException as error:
            self._end_early(f"its runner failed: {type(error).__name__}: {error}")
            raise
        return self._ended

    def _end_early(self, why: str) -> None:
        """Undo what is on, and write down that it has ended; guards and flags are not asked any more."""
        until = SYSTEM_CLOCK.now() + _END_S
        self._handle(m.StopRequested(why=why))
        while self._ended is None and SYSTEM_CLOCK.now() < until:
            event = self._next_event(self._machine.next_timer())
            if not isinstance(event, guards.GuardRead | guards.GuardFailed | guards.TimePassed):
                self._handle(event)

    def _turn(self) -> None:
        """Wait for what comes next, and let the machines have it."""
        self._wait()
        for what, said in (("halted", self._hands.own.halted()), ("stopped", self._hands.own.stopped(self._run))):
            if said is not None and self._machine.doing != "ended":
                self._handle(m.StopRequested(why=f"{what} by {said.who}: {said.why}"))
        self._handle_guards(guards.TimePassed())
        self._look_meanwhile()

    def _wait(self) -> None:
        event = self._next_event(self._machine.next_timer(), self._guards.next_timer())
        match event:
            case guards.GuardRead() | guards.GuardFailed() | guards.TimePassed():
                self._handle_guards(event)
            case _:
                self._note(event)
                self._handle(event)

    def _next_event(self, *timers: float | None) -> m.Event | guards.Event:
        now = SYSTEM_CLOCK.now()
        wait_s = min([LOOK_EVERY_S, *(max(0.0, timer - now) for timer in timers if timer is not None)])
        try:
            return self._events.get(timeout=max(wait_s, 0.0005))
        except queue.Empty:
            return m.TimePassed()

    def _note(self, event: m.Event) -> None:
        """What the report is going to say of it."""
        at_s = self.findings.since()
        match event:
            case m.FaultProven():
                self.findings.evidence.setdefault(event.fault_id, event.evidence)
            case m.FaultUndone():
                self.findings.undone_at[event.fault_id] = at_s
            case _:
                pass

    # -- commands -----------------------------------------------------------------------------------------------------

    def _handle(self, event: m.Event) -> None:
        commands = self._machine.handle(event, SYSTEM_CLOCK.now())
        for command in commands:
            if isinstance(command, m.ArmUndo | m.InjectFault | m.UndoFault):
                self._orders[command.order.fault_id] = command.order
        for command in commands:
            self._carry_out(command)
        if self._machine.doing in ("settling", "observing"):
            self._load.enter("between")

    def _carry_out(self, command: m.Command) -> None:
        match command:
            case m.Record():
                if command.step == "arming":
                    self._load.enter("fault")
                self._chains.add(command.fault_id, partial(self._record, command, SYSTEM_CLOCK.wall_us()))
            case m.BeginPhase():
                self._load.enter("baseline" if command.phase == "baseline" else "between")
                self.findings.begin(command.phase)
            case m.ArmUndo():
                self._chains.add(command.order.fault_id, partial(self._arm_soon, command.order))
            case m.InjectFault():
                with self._lock:
                    self._in_line.add(command.order.fault_id)
                self._chains.add(command.order.fault_id, partial(self._inject_soon, command.order, command.time))
            case m.UndoFault():
                self._called_off.add(command.order.fault_id)
                if self._is_next(command.order.fault_id):
                    self._events.put(m.InjectCalledOff(fault_id=command.order.fault_id))
                self._pool.submit(self._undo, command.order, command.time)  # at once, whatever is to be written
            case m.ObserveAfter():
                self.findings.end_rounds()
                self._pool.submit(self._observe)
            case m.EndRun():
                self.findings.end_rounds()
                self._ended = command
            case _:
                assert_never(command)

    # -- in a fault's chain, after what was written of it -------------------------------------------------------------

    def _record(self, command: m.Record, at_us: int) -> None:
        data = dict(command.data)
        order = self._orders.get(command.fault_id)
        if command.step == "ended":
            self._chains.wait(_IN_TURN_S, but="")
        try:
            if command.step == "arming" and order is not None:
                data |= self._prepare(order)
            node_id = self._striker.node_of(command.fault_id) if command.fault_id else ""
            entry = Entry(run=self._run, step=command.step, fault=command.fault_id, data=data, at_us=at_us)
            self._books.write(entry, node_id)
        except Errors as error:
            self._unwritten.add(command.fault_id)
            self._events.put(m.RecordFailed(reason=str(error)))

    def _on_failure(self, error: BaseException) -> None:
        self._events.put(m.RecordFailed(reason=f"{type(error).__name__}: {error}"))

    def _arm_soon(self, order: m.FaultOrder) -> None:
        """Not what could not be written down, or is over before it was: nobody would undo it once more."""
        if order.fault_id not in self._unwritten | self._called_off:
            self._pool.submit(self._arm, order)

    def _is_next(self, fault_id: str) -> bool:
        """Whether its injection was in line, and is no more: who asks first says what becomes of it."""
        with self._lock:
            is_next = fault_id in self._in_line
            self._in_line.discard(fault_id)
            return is_next

    def _inject_soon(self, order: m.FaultOrder, time: int) -> None:
        if not self._is_next(order.fault_id):
            return
        if order.fault_id in self._unwritten:
            self._events.put(m.InjectFailed(fault_id=order.fault_id, reason="its steps cannot be written down"))
        else:
            self._pool.submit(self._inject, order, time)

    def _prepare(self, order: m.FaultOrder) -> dict[str, Any]:
        try:
            return self._striker.prepare(order)
        except Errors as error:
            self._unprepared[order.fault_id] = str(error)
            return {"undo": {"kind": "nothing", "pid": 0, "started_ticks": 0, "path": ""}}

    # -- on threads ---------------------------------------------------------------------------------------------------

    def _arm(self, order: m.FaultOrder) -> None:
        try:
            if order.fault_id in self._unprepared:
                raise ValueError(self._unprepared[order.fault_id])
            self._striker.arm(order)
            self._before[order.fault_id] = self._striker.sight_before(order)
        except Errors as error:
            self._events.put(m.ArmFailed(fault_id=order.fault_id, reason=str(error)))
        else:
            self._events.put(m.UndoArmed(fault_id=order.fault_id))

    def _inject(self, order: m.FaultOrder, time: int) -> None:
        begun_at = SYSTEM_CLOCK.now()
        try:
            detail = self._striker.inject(order, time)
        except Errors as error:
            self._events.put(m.InjectFailed(fault_id=order.fault_id, reason=str(error)))
            return
        self.findings.injected_at.setdefault(order.fault_id, begun_at - self.findings.began_at)
        struck = self._striker.struck(order.fault_id)
        self.findings.struck[order.fault_id] = strikes_of(struck, self.findings.began_at)
        self._events.put(m.FaultInjected(fault_id=order.fault_id, detail=detail))
        if order.fault_id not in self.findings.evidence:
            self._prove(order, begun_at)

    def _prove(self, order: m.FaultOrder, begun_at: float) -> None:
        """Look until something else than its injector sees it act, or it is over."""
        before, ends_at, wait_s = self._before[order.fault_id], begun_at + order.lease_s, _look_every_s(order)
        while not self._over and (now := SYSTEM_CLOCK.now()) < ends_at + _PROVE_BUSY_S:
            try:
                evidence = prove(order.fault, order.how, before=before, now=self._striker.sight(order))
            except Errors:
                evidence = ""  # who was to be looked at, or through, is gone for the moment
            if evidence and order.fault_id not in self.findings.effect_s:
                self.findings.effect_s[order.fault_id] = SYSTEM_CLOCK.now() - begun_at
                self._events.put(m.FaultProven(fault_id=order.fault_id, evidence=evidence))
            if evidence and order.hit.kind not in EVERYWHERE:
                return  # else it is looked on: processes that come up meanwhile get it, too
            sleep(wait_s if now - begun_at < _FAST_FOR_S else max(wait_s, _PROVE_SLOW_S))

    def _undo(self, order: m.FaultOrder, time: int) -> None:
        try:
            self._striker.undo(order)
        except Errors as error:
            self._events.put(m.UndoFailed(fault_id=order.fault_id, reason=str(error)))
        else:
            self._events.put(m.FaultUndone(fault_id=order.fault_id, by="runner", time=time))

    def _observe(self) -> None:
        self._chains.wait(_WRITTEN_S)  # what is looked at is what was written
        try:
            self._events.put(self._conclude(self.findings))
        except Errors as error:
            self._events.put(m.StopRequested(why=f"what came of it could not be looked at: {error}"))

    # -- guards and the hypothesis ------------------------------------------------------------------------------------

    def _handle_guards(self, event: guards.Event) -> None:
        for command in self._guards.handle(event, SYSTEM_CLOCK.now()):
            match command:
                case guards.ReadGuard():
                    self._pool.submit(self._read_guard, command.guard)
                case guards.StopRun():
                    self._handle(m.StopRequested(why=command.why))
                case _:
                    assert_never(command)

    def _read_guard(self, name: str) -> None:
        self._events.put(read_guard(self._guard_of[name], self._probes))

    def _look_meanwhile(self) -> None:
        now = SYSTEM_CLOCK.now()
        if now >= self._health_at:
            self._health_at = now + HEALTH_EVERY_S
            self._pool.submit(self._take_score)
        if self._machine.doing == "fault" and self.findings.is_on() and now >= self._during_at:
            self._during_at = now + self._experiment.chaos.during_every_s
            self._pool.submit(self.look, "during")

    def _take_score(self) -> None:
        score = self._probes.score()
        if score is not None:
            self.findings.health.append(HealthPoint(self.findings.since(), score))

    def look(self, when: When) -> tuple[ProbeFact, ...]:
        """Look at the hypothesis, and keep what is seen."""
        facts = look(self._experiment, self._probes, when=when, at_s=self.findings.since)
        self.findings.probes.extend(facts)
        return facts


def _look_every_s(order: m.FaultOrder) -> float:
    """A look into /proc costs nothing, one at a process's counters a call; how busy a machine is takes time to tell."""
    if order.how.get("resource") == "cpu":
        return _PROVE_BUSY_S
    return _PROVE_ASKED_S if is_at_a_point(order) else _PROVE_FAST_S
