"""One run of an experiment: its rounds, its faults, its end. Pure: events in, commands out.

    fault:  waiting --due--> arming --armed--> injecting --> on --its lease ends--> undoing --> off
                               |                   |          |                        |  ^
                               +-- failed: the run stops -----+-- the run stops -------+  +-- again, until it is off
                                                                                              or given up: kept on
            what lasts as long as the cluster:   on --its lease ends, or the run stops--> kept on; the run goes on
    run:    planned --> baseline <--> fault rounds --> settling --> observing --> ended
                           |              |               |             |
                           +--------------+--- stop ------+-------------+--> all undone --> ended, aborted

Everything is written down before it is done: `Record` comes before the command that it tells of, and is durable before
that is carried out. So the entries of a run that was killed anywhere tell at least all faults that may be on.

A stop does not wait for an injection that is under way: it is undone at once, and again when it turns out to have
happened later. But it counts as undone only when the injection is answered, or its lease is over: until then it may
still land, and a successor must know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, assert_never, cast

from experiments.ledger import messages as m
from experiments.model.lasting import LASTING_KINDS, LASTS

if TYPE_CHECKING:
    from experiments.ledger.entry import Step
    from experiments.model.experiment import Chaos, Expected
    from experiments.planning.plan import Plan

UNDO_AGAIN_S = 0.5
UNDO_TRIES = 20
"""Then it is told that the fault is still on; its watchdog goes on trying."""

Status = Literal["waiting", "arming", "injecting", "on", "undoing", "off", "kept_on"]
Doing = Literal["planned", "baseline", "fault", "settling", "observing", "ended"]

_MAY_BE_ON: tuple[Status, ...] = ("arming", "injecting", "on")
_OVER: tuple[Status, ...] = ("off", "kept_on")


@dataclass(slots=True)
class _Fault:
    order: m.FaultOrder
    due_at: float
    status: Status = "waiting"
    ends_at: float = 0.0
    again_at: float | None = None
    times: int = 0
    tries: int = 0
    undos: int = 0
    on_its_way: bool = False


class RunMachine:
    """One run.

    Args:
        plan: What is done to whom; it was not refused.
        chaos: The experiment's bounds.
        now: The moment, monotonic seconds.
    """

    def __init__(self, plan: Plan, chaos: Chaos, *, now: float) -> None:
        self._plan = plan
        self._chaos = chaos
        self._now = now
        self._deadline_at = now + chaos.deadline_s
        self._round = -1
        self._until: float | None = None
        self._doing: Doing = "planned"
        self._faults: dict[str, _Fault] = {}
        self._stopping = ""
        self._refused = ""
        self._injected = False
        self._left_on: list[str] = []
        self._out: list[m.Command] = []

    @property
    def doing(self) -> Doing:
        """Where it is."""
        return self._doing

    def handle(self, event: m.Event, now: float) -> list[m.Command]:
        """What follows from `event` at `now`, monotonic seconds; in the order to be carried out."""
        self._now = max(self._now, now)
        if self._doing != "ended":
            self._dispatch(event)
            self._advance()
        taken, self._out = self._out, []
        return taken

    def next_timer(self) -> float | None:
        """When `TimePassed` is due, monotonic seconds, or None."""
        if self._doing == "ended":
            return None
        found = [self._deadline_at] if not self._stopping else []
        found += [] if self._until is None else [self._until]
        for fault in self._faults.values():
            match fault.status:
                case "waiting":
                    found.append(fault.due_at)
                case "on" | "injecting" | "arming":
                    found.append(fault.ends_at)
                    found += [] if fault.again_at is None else [fault.again_at]
                case "undoing":
                    found += [] if fault.again_at is None else [fault.again_at]
                case "off" | "kept_on":
                    pass
        return min(found, default=None)

    # -- events -------------------------------------------------------------------------------------------------------

    def _dispatch(self, event: m.Event) -> None:
        match event:
            case m.RunStarted():
                if self._doing == "planned":
                    self._begin_round()
            case m.StopRequested():
                self._stop(event.why)
            case m.RecordFailed():
                self._stop(f"the ledger cannot be written: {event.reason}")
            case m.Concluded():
                if self._doing == "observing" and not self._stopping:
                    self._end(event.verdict, event.why)
            case m.TimePassed():
                pass  # all that is due follows below
            case _:
                fault = self._faults.get(event.fault_id)
                if fault is not None:
                    self._on_fault(fault, event)

    def _on_fault(  # noqa: C901 - one branch per event, closed
        self,
        fault: _Fault,
        event: m.UndoArmed
        | m.ArmFailed
        | m.FaultInjected
        | m.InjectFailed
        | m.InjectCalledOff
        | m.FaultProven
        | m.FaultUndone
        | m.UndoFailed,
    ) -> None:
        match event:
            case m.UndoArmed():
                if fault.status == "arming":
                    self._record("armed", fault)
                    self._inject(fault)
            case m.ArmFailed():
                self._refuse(f"{fault.order.fault_id} could not be armed: {event.reason}")
                self._set_off(fault, by="never armed")
            case m.FaultInjected():
                self._on_injected(fault, event.detail)
            case m.InjectFailed():
                fault.on_its_way = False
                self._refuse(f"{fault.order.fault_id} could not be injected: {event.reason}")
                self._undo(fault)
            case m.InjectCalledOff():
                fault.on_its_way = False
            case m.FaultProven():
                self._record("proven", fault, evidence=event.evidence)
            case m.FaultUndone():
                if event.time in (0, fault.undos):
                    self._on_undone(fault, event.by)
            case m.UndoFailed():
                self._on_undo_failed(fault, event.reason)
            case _:
                assert_never(event)

    def _on_injected(self, fault: _Fault, detail: str) -> None:
        self._injected, fault.on_its_way = True, False
        self._record("injected", fault, detail=detail)
        if fault.status == "injecting":
            fault.status = "on"
            times = cast("int", fault.order.how.get("times", 1))
            if fault.times < times:
                fault.again_at = self._now + cast("float", fault.order.how.get("every_s", 1.0))
        elif fault.status in ("undoing", "off"):
            # It came after its undo: that undid nothing.
            if fault.status == "off":
                self._record("arming", fault, detail="injected after its lease")
            self._order_undo(fault)

    def _on_undone(self, fault: _Fault, by: str) -> None:
        if fault.on_its_way and self._now < fault.ends_at and fault.status == "undoing":
            fault.tries, fault.again_at = 0, min(self._now + UNDO_AGAIN_S, fault.ends_at)
        else:
            self._set_off(fault, by=by)

    def _on_undo_failed(self, fault: _Fault, reason: str) -> None:
        if fault.status != "undoing":
            return
        if fault.tries >= UNDO_TRIES:
            self._keep_on(fault, reason)
            self._stop(f"{fault.order.fault_id} cannot be undone: {reason}")
        else:
            fault.again_at = self._now + UNDO_AGAIN_S

    # -- faults -------------------------------------------------------------------------------------------------------

    def _arm(self, fault: _Fault) -> None:
        fault.status = "arming"
        fault.ends_at = self._now + fault.order.lease_s
        self._record("arming", fault, target=fault.order.hit.name, kind=fault.order.fault)
        self._out.append(m.ArmUndo(order=fault.order))

    def _inject(self, fault: _Fault) -> None:
        fault.times += 1
        fault.again_at = None
        fault.status, fault.on_its_way = "injecting", True
        self._out.append(m.InjectFault(order=fault.order, time=fault.times))

    def _undo(self, fault: _Fault) -> None:
        if fault.order.hit.kind in LASTING_KINDS:
            self._keep_on(fault, LASTS)
            return
        fault.tries += 1
        self._order_undo(fault)

    def _order_undo(self, fault: _Fault) -> None:
        fault.undos += 1
        fault.status, fault.again_at = "undoing", self._now + UNDO_AGAIN_S
        self._out.append(m.UndoFault(order=fault.order, time=fault.undos))

    def _keep_on(self, fault: _Fault, reason: str) -> None:
        if fault.status == "kept_on":
            return
        fault.status, fault.again_at = "kept_on", None
        self._left_on.append(fault.order.fault_id)
        self._record("kept_on", fault, reason=reason)

    def _set_off(self, fault: _Fault, *, by: str) -> None:
        if fault.status != "off":
            fault.status, fault.again_at = "off", None
            self._record("undone", fault, by=by)

    def _drive(self, fault: _Fault) -> None:
        """What is due of one fault."""
        if fault.status == "waiting":
            if self._stopping:
                fault.status = "off"  # nothing was written of it, and nothing was done
            elif fault.due_at <= self._now:
                self._arm(fault)
        elif fault.status in _MAY_BE_ON:
            if self._stopping or fault.ends_at <= self._now:
                self._undo(fault)
            elif fault.status == "on" and fault.again_at is not None and fault.again_at <= self._now:
                self._inject(fault)
        elif fault.status == "undoing" and fault.again_at is not None and fault.again_at <= self._now:
            if fault.tries >= UNDO_TRIES:
                self._on_undo_failed(fault, "it is not answered")
            else:
                self._undo(fault)

    # -- rounds -------------------------------------------------------------------------------------------------------

    def _advance(self) -> None:
        if self._deadline_at <= self._now and not self._stopping:
            self._stop(f"it has lasted {self._chaos.deadline_s:g} s, its deadline_s")
        for fault in self._faults.values():
            self._drive(fault)
        done = all(fault.status in _OVER for fault in self._faults.values())
        if self._stopping:
            if done and self._doing != "ended":
                self._end("not_started" if self._refused and not self._injected else "aborted", self._stopping)
        elif self._doing == "fault" and done:
            self._doing, self._until = "settling", self._now + self._chaos.settle_s
        if self._doing in ("baseline", "settling") and self._until is not None and self._until <= self._now:
            self._begin_round()

    def _begin_round(self) -> None:
        self._round += 1
        if self._round >= len(self._plan.phases):
            self._doing, self._until = "observing", None
            self._out += [m.Record(step="observing", data={}), m.ObserveAfter()]
            return
        phase = self._plan.phases[self._round]
        self._doing = phase
        self._out.append(m.BeginPhase(number=self._round, phase=phase))
        if phase == "baseline":
            self._until = self._now + self._chaos.interleaving.baseline_s
            return
        self._until = None
        self._faults = {fault.order.fault_id: fault for fault in self._orders()}
        for fault in self._faults.values():
            self._drive(fault)

    def _orders(self) -> list[_Fault]:
        found: list[_Fault] = []
        for planned in self._plan.faults:
            for hit in planned.hits:
                order = m.FaultOrder(
                    fault_id=f"{planned.place}.{self._round}.{hit.name}",
                    place=planned.place,
                    fault=planned.fault,
                    hit=hit,
                    lease_s=planned.lease_s,
                    how=planned.how,
                )
                found.append(_Fault(order, self._now + planned.after_s))
        return found

    def _refuse(self, why: str) -> None:
        self._refused = self._refused or why
        self._stop(why)

    def _stop(self, why: str) -> None:
        self._stopping = self._stopping or why
        self._until = None

    def _end(self, verdict: Expected, why: str) -> None:
        left = tuple(self._left_on)
        self._doing = "ended"
        self._out.append(m.Record(step="ended", data={"verdict": verdict, "why": why, "left_on": list(left)}))
        self._out.append(m.EndRun(verdict=verdict, why=why, left_on=left))

    def _record(self, step: Step, fault: _Fault, **data: object) -> None:
        self._out.append(m.Record(step=step, fault_id=fault.order.fault_id, data=dict(data)))
