"""The machines of chaos in virtual time, on a host where everything goes wrong.

Ledgers cannot be written, watchdogs do not come up, injections fail half-way, answers are late or never come, guards
turn bad or silent, somebody halts, and the runner is killed between any two commands. A watchdog that came up does its
work: that it does is shown with real processes elsewhere. What must hold is looked at after each step.

A failure is made smaller and told as one line; that line replays it:

    python -m experiments.bench.chaos_simulation 3,0,17,1
"""

from __future__ import annotations

import heapq
import sys
from collections.abc import Sequence
from itertools import count
from random import Random
from typing import Any, cast

from experiments.bench.choices import Choices, shrink
from experiments.guards import machine as g
from experiments.ledger import messages as m
from experiments.ledger.entry import Entry
from experiments.ledger.machine import UNDO_AGAIN_S, UNDO_TRIES, RunMachine
from experiments.ledger.standing import fold
from experiments.model.experiment import Chaos
from experiments.model.faults import FaultKind
from experiments.model.safety import Guard
from experiments.planning.plan import Hit, Phase, Plan, PlannedFault

_RUN = "r1"
_KINDS: tuple[FaultKind, ...] = ("hang", "latency", "exhaustion", "unavailable", "crash")
_GRACE_S = 1.0
_LEASE_S_MAX = 10.5
_END_WITHIN_S = (UNDO_TRIES + 4) * UNDO_AGAIN_S + _LEASE_S_MAX + 5.0
_STEPS_MAX = 5_000


class ChaosSimulation:
    """One run of one experiment.

    Args:
        choices: What chance decides.
    """

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self.now = 0.0
        self.entries: list[Entry] = []
        self.verdict = ""
        self._numbers = count()
        self._news: list[tuple[float, int, Any]] = []
        self._on: dict[str, str] = {}
        self._watchdogs: dict[str, float] = {}
        self._injecting: dict[str, int] = {}
        self._killed_at: float | None = None
        self._stopped = False
        self._plan = self._planned()
        guard = {"name": "g", "probe": "health_score", "tolerance": [50, 100], "every_s": 1, "stale_s": 4}
        self._chaos = Chaos.model_construct(**_bounds(self.choices))
        self._machine = RunMachine(self._plan, self._chaos, now=0.0)
        self._guards = g.GuardsMachine([Guard.model_validate(guard)] if choices.happens(50) else [], now=0.0)
        data = {"experiment": "e", "targets": sorted(self._plan.targets), "runner": [1, 1, "h"]}
        self.entries.append(Entry(run=_RUN, step="planned", data=data))
        self._post(m.RunStarted(), 0.0)

    @classmethod
    def seeded(cls, seed: int) -> ChaosSimulation:
        """One whose choices a seed draws."""
        return cls(Choices(Random(seed)))  # noqa: S311 - chance that can be repeated, not secrets

    @classmethod
    def replayed(cls, line: str) -> ChaosSimulation:
        """That of a printed line."""
        return cls(Choices(given=[int(part) for part in line.split(",") if part]))

    def run(self) -> float:
        """Go to its end; how long that took in its own time, seconds.

        Raises:
            AssertionError: Something that must hold does not; the text tells how to see it again.
        """
        steps = 0
        while (self._news or self._due() is not None) and not (self.verdict and self._is_quiet()):
            self._step()
            self._check()
            steps += 1
            self._hold(steps < _STEPS_MAX, "it never ends")
        self._hold(not self._on, f"{sorted(self._on)} are on at the end")
        self._hold(bool(self.verdict), "it has no verdict")
        return self.now

    def _planned(self) -> Plan:
        choices = self.choices
        faults = tuple(
            PlannedFault(
                place=place,
                fault=_KINDS[choices.below(len(_KINDS))],
                hits=tuple(
                    Hit(name=f"worker/w{place}{number}", kind="worker", node="n", incarnation=1)
                    for number in range(1 + choices.below(2))
                ),
                after_s=choices.delay_s(2.0),
                lease_s=0.5 + choices.delay_s(10.0),
                how={"times": 1 + choices.below(3), "every_s": 0.5} if choices.happens(30) else {},
            )
            for place in range(1 + choices.below(3))
        )
        phases: tuple[Phase, ...] = ("baseline", "fault") * (1 + choices.below(3))
        return Plan(experiment="e", seed=1, safe_mode=False, phases=phases, faults=faults)

    # -- time ---------------------------------------------------------------------------------------------------------

    def _due(self) -> float | None:
        """When something is due by itself: the machines' timers, and the watchdogs."""
        timers = [] if self._killed_at is not None else [self._machine.next_timer(), self._guards.next_timer()]
        timers = timers if not self.verdict else []
        return min([due for due in (*timers, *self._watchdogs.values()) if due is not None], default=None)

    def _step(self) -> None:
        due = self._due()
        if self._news and (due is None or self._news[0][0] <= due):
            at, _, what = heapq.heappop(self._news)
            self.now = max(self.now, at)
            self._meet(what)
        else:
            self.now = max(self.now, cast("float", due))
            self._watch()
            self._tell(m.TimePassed())
            self._ask_guards(g.TimePassed())

    def _post(self, what: object, delay_s: float) -> None:
        heapq.heappush(self._news, (self.now + delay_s, next(self._numbers), what))

    def _is_quiet(self) -> bool:
        return not self._on and not self._injecting and not self._watchdogs

    def _watch(self) -> None:
        """Watchdogs whose time has come end their faults."""
        for fault_id in [each for each, ends_at in self._watchdogs.items() if ends_at <= self.now]:
            del self._watchdogs[fault_id]
            if self._on.pop(fault_id, None) is not None:
                self.entries.append(Entry(run=_RUN, step="undone", fault=fault_id, data={"by": "watchdog"}))
                if self._killed_at is None:
                    self._post(m.FaultUndone(fault_id=fault_id, by="watchdog"), 0.01)

    def _meet(self, what: object) -> None:
        match what:
            case ("lands", str() as fault_id, m.InjectFault() as command, bool() as works):
                self._land(fault_id, command, works=works)
            case ("succeeds",):
                self._succeed()
            case g.GuardRead() | g.GuardFailed():
                self._ask_guards(what)
            case _:
                self._tell(cast("m.Event", what))

    def _tell(self, event: m.Event) -> None:
        if self._killed_at is None and not self.verdict:
            self._carry_out(self._machine.handle(event, self.now))

    # -- a shell that obeys, and may be killed between two commands ----------------------------------------------------

    def _carry_out(self, commands: list[m.Command]) -> None:
        unwritten = False
        for command in commands:
            if self.choices.happens(1):
                self._kill()
                return
            if isinstance(command, m.Record):
                unwritten = not self._record(command)
            elif not (unwritten and isinstance(command, m.ArmUndo | m.InjectFault)):
                self._obey(command)

    def _obey(self, command: m.Command) -> None:
        match command:
            case m.ArmUndo():
                self._arm(command)
            case m.InjectFault():
                self._inject(command)
            case m.UndoFault():
                self._undo(command.order, command.time)
            case m.ObserveAfter():
                self._post(m.Concluded(verdict="held"), self.choices.delay_s(1.0))
            case m.EndRun():
                self.verdict = command.verdict
            case m.BeginPhase() if self.choices.happens(3):
                self._post(m.StopRequested(why="halt"), self.choices.delay_s(8.0))
            case _:
                pass

    def _record(self, command: m.Record) -> bool:
        if self.choices.happens(1):
            self._post(m.RecordFailed(reason="disk full"), 0.0)
            return False
        self.entries.append(Entry(run=_RUN, step=command.step, fault=command.fault_id, data=command.data))
        return True

    def _arm(self, command: m.ArmUndo) -> None:
        order = command.order
        if self.choices.happens(3):
            self._post(m.ArmFailed(fault_id=order.fault_id, reason="no process"), self.choices.delay_s(1.0))
            return
        self._watchdogs[order.fault_id] = self.now + order.lease_s
        self._post(m.UndoArmed(fault_id=order.fault_id), self.choices.delay_s(0.3))

    def _inject(self, command: m.InjectFault) -> None:
        fault_id = command.order.fault_id
        self._hold(not self._stopped, f"{fault_id} is injected after the run was stopped")
        self._hold(self._is_armed(fault_id), f"{fault_id} is injected without a watchdog")
        self._injecting[fault_id] = self._injecting.get(fault_id, 0) + 1
        delay_s = self.choices.delay_s(3.0) if self.choices.happens(5) else self.choices.delay_s(0.05)
        self._post(("lands", fault_id, command, not self.choices.happens(3)), delay_s)

    def _is_armed(self, fault_id: str) -> bool:
        written = any(entry.fault == fault_id and entry.step == "armed" for entry in self.entries)
        return fault_id in self._watchdogs or written

    def _land(self, fault_id: str, command: m.InjectFault, *, works: bool) -> None:
        self._injecting[fault_id] -= 1
        if not self._injecting[fault_id]:
            del self._injecting[fault_id]
        # A watchdog whose lease is over is gone: its injector knows the lease's end, and lets a late injection be.
        late = fault_id not in self._watchdogs
        if not late and (works or self.choices.happens(50)):
            self._on[fault_id] = command.order.hit.name
        if late or not works:
            self._post(m.InjectFailed(fault_id=fault_id, reason="it could not"), 0.0)
        elif not self.choices.happens(3):
            self._post(m.FaultInjected(fault_id=fault_id), self.choices.delay_s(0.1))

    def _undo(self, order: m.FaultOrder, time: int) -> None:
        fault_id = order.fault_id
        if self.choices.happens(10):
            self._post(m.UndoFailed(fault_id=fault_id, reason="it is busy"), self.choices.delay_s(0.2))
            return
        self._on.pop(fault_id, None)
        if fault_id not in self._injecting:
            self._watchdogs.pop(fault_id, None)
        if not self.choices.happens(5):
            self._post(m.FaultUndone(fault_id=fault_id, time=time), self.choices.delay_s(0.2))

    def _ask_guards(self, event: g.Event) -> None:
        if self._killed_at is not None or self.verdict:
            return
        for command in self._guards.handle(event, self.now):
            match command:
                case g.StopRun():
                    self._tell(m.StopRequested(why=command.why))
                    self._stopped = True
                case g.ReadGuard():
                    if not self.choices.happens(2):
                        value = 10.0 if self.choices.happens(1) else 90.0
                        self._post(g.GuardRead(guard=command.guard, value=value), self.choices.delay_s(1.5))

    # -- the runner is killed, and succeeded --------------------------------------------------------------------------

    def _kill(self) -> None:
        self._killed_at = self.now
        known = set(fold(self.entries)[_RUN].active)
        self._hold(set(self._on) <= known, f"{sorted(set(self._on) - known)} are on and no successor would know")
        # What was on its way to be injected went with the runner; its watchdogs see its end.
        self._news = [each for each in self._news if not isinstance(each[2], tuple) or each[2][0] != "lands"]
        heapq.heapify(self._news)
        self._injecting.clear()
        self._watchdogs = dict.fromkeys(self._watchdogs, self.now + 0.1)
        self._post(("succeeds",), self.choices.delay_s(5.0))

    def _succeed(self) -> None:
        """What `experiments.faults.succession.clear` does."""
        standing = fold(self.entries)[_RUN]
        for fault_id in standing.active:
            self._on.pop(fault_id, None)
            self.entries.append(Entry(run=_RUN, step="undone", fault=fault_id, data={"by": "successor"}))
        if standing.goes_on:
            self.entries.append(Entry(run=_RUN, step="ended", data={"verdict": "aborted"}))
        self.verdict = fold(self.entries)[_RUN].verdict

    # -- what must hold -----------------------------------------------------------------------------------------------

    def _check(self) -> None:
        strangers = set(self._on.values()) - self._plan.targets
        self._hold(not strangers, f"{sorted(strangers)} are hit and were not selected")
        for fault_id in self._on:
            ends_at = self._watchdogs.get(fault_id)
            self._hold(ends_at is not None, f"{fault_id} is on and nobody will end it")
            self._hold(self.now <= cast("float", ends_at) + _GRACE_S, f"{fault_id} outlived its lease")
        ended = [entry for entry in self.entries if entry.step == "ended"]
        self._hold(len(ended) <= 1, "it ended twice")
        if self._killed_at is not None and self.verdict and ended:
            before = [entry.data["verdict"] for entry in ended]
            self._hold(self.verdict == before[0], "its verdict is not the one that is written")
        latest = self._chaos.deadline_s + _END_WITHIN_S
        self._hold(bool(self.verdict) or self.now <= latest, "it goes on long after its deadline")

    def _hold(self, holds: bool, otherwise: str) -> None:  # noqa: FBT001 - as of assert
        if not holds:
            raise AssertionError(f"at {self.now:.3f} s: {otherwise}")


def _bounds(choices: Choices) -> dict[str, Any]:
    whole = Chaos(deadline_s=60.0, settle_s=1.0)
    fields = {name: getattr(whole, name) for name in type(whole).model_fields}
    return {**fields, "deadline_s": 60.0 - choices.below(50)}


def failure_of(made: Sequence[int]) -> str:
    """How a list of choices fails; nothing if it does not."""
    try:
        ChaosSimulation(Choices(given=made)).run()
    except AssertionError as error:
        return str(error)
    return ""


def explore(seed: int) -> float:
    """Run one seed; a failure is made smaller first.

    Raises:
        AssertionError: What does not hold, and the line that replays it.
    """
    simulation = ChaosSimulation.seeded(seed)
    try:
        return simulation.run()
    except AssertionError as error:
        smallest = shrink(simulation.choices.made, lambda made: bool(failure_of(made)))
        line = ",".join(map(str, smallest))
        raise AssertionError(
            f"seed {seed}: {failure_of(smallest) or error}; replay it with\n"
            f"python -m experiments.bench.chaos_simulation {line}"
        ) from None


if __name__ == "__main__":
    ChaosSimulation.replayed(sys.argv[1] if len(sys.argv) > 1 else "").run()
