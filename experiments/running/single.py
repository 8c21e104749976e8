"""One fault on all its targets, for a caller that waits for its end: armed, injected, seen to act, undone, told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.errors import SupervisorError
from experiments.errors import FaultUnprovenError, RunStoppedError
from experiments.faults.proof import prove
from experiments.judging.facts import FaultFact, Observations
from experiments.judging.verdict import Verdict
from experiments.ledger import rows
from experiments.ledger.entry import Entry
from experiments.model.lasting import LASTING_KINDS, LASTS
from experiments.running.findings import strikes_of
from experiments.running.watching import Errors

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from experiments.faults.proof import Sight
    from experiments.ledger import messages as m
    from experiments.ledger.entry import Step
    from experiments.model.experiment import Expected
    from experiments.planning.plan import Plan
    from experiments.running.books import Books
    from experiments.running.striking import Striker
    from experiments.running.watching import Watch
    from supervisor.events import Events

    Recovered = Callable[[Callable[[], tuple[FaultFact, ...]], int], tuple[FaultFact, ...]]

_PROVE_EVERY_S = 0.01
_LAST_LOOK_S = 0.5
"""How long a look that is under way may take when all is over, seconds."""

_UNDO_AGAIN_S = 0.2
_UNDO_TRIES = 20


@dataclass(slots=True)
class _Aim:
    """One target."""

    order: m.FaultOrder
    before: Sight
    due_at: float
    ends_at: float
    times: int = 0
    injected_s: float | None = None
    undone_s: float | None = None
    under_way: Future[None] | None = None
    looking: Future[None] | None = None
    evidence: str = ""

    @property
    def is_done(self) -> bool:
        """A crash that was seen as often as it was asked for: there is nothing to wait for."""
        wanted = cast("int", self.order.how.get("times", 1))
        crashed = self.order.fault == "crash" and self.times >= wanted and self.under_way is None
        return crashed and bool(self.evidence)


class SingleFault:
    """A run of its own in ledger and log.

    Args:
        events: The event log.
        books: Where it is written down.
        striker: Does it.
        watch: Looks at what ends it early.
        plan: Its plan.
        run: Its name.
        orders: Its targets; all have the same fault.
        recovered: Tells of faults how their targets fared, by the log since a moment of the wall clock.
    """

    def __init__(  # noqa: PLR0913 - one argument for each part that it puts together
        self,
        events: Events,
        books: Books,
        *,
        striker: Striker,
        watch: Watch,
        plan: Plan,
        run: str,
        orders: list[m.FaultOrder],
        recovered: Recovered,
    ) -> None:
        self._events = events
        self._books = books
        self._striker = striker
        self._watch = watch
        self._plan = plan
        self._run = run
        self._orders = orders
        self._recovered = recovered
        self._aims: dict[str, _Aim] = {}
        self._begun: list[m.FaultOrder] = []
        self._armed: list[m.FaultOrder] = []
        self._lasting: list[str] = []
        self._ended = False
        self._began_at, self._began_us = SYSTEM_CLOCK.now(), SYSTEM_CLOCK.wall_us()
        self._pool = ThreadPoolExecutor(max(1, 2 * len(orders)), thread_name_prefix="chaos-single")
        events.record(*rows.began(run, plan, runner="Chaos Toolkit", at_us=self._began_us))

    def perform(self, *, after_s: float, settle_s: float) -> dict[str, str]:
        """Carry it out and wait until it is over; what saw each act.

        Args:
            after_s: Begin so much later, seconds.
            settle_s: Wait for so long behind its undo, seconds.

        Raises:
            FaultUnprovenError: Nothing but its injector tells that it acted.
            HaltedError, RunStoppedError: It was ended early, and undone.
            ChaosError, OSError, RayError: It could not be carried out; nothing of it is on.
        """
        try:
            self._watch.wait(after_s)
            aims = self._inject()
            self._undo()
            self._insist_on_proof(aims)
            self._watch.wait(settle_s)
        except FaultUnprovenError as error:
            self.end("inconclusive", str(error))
            raise
        except BaseException as error:
            self.end("aborted", str(error) or type(error).__name__)
            raise
        self.end("held", f"{len(aims)} of {len(aims)} faults acted; Chaos Toolkit judges the hypothesis")
        return {aim.order.fault_id: aim.evidence for aim in aims}

    def _insist_on_proof(self, aims: list[_Aim]) -> None:
        unseen = tuple(aim.order.fault_id for aim in aims if not aim.evidence)
        if unseen:
            raise FaultUnprovenError(self._run, faults=unseen)

    def end(self, verdict: Expected, why: str) -> None:
        """Undo it, and write how it ended; a second call does nothing."""
        if self._ended:
            return
        self._ended = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._watch.close()
        left = self._undo()
        told = (
            why,
            *(f"still on: {fault_id}" for fault_id in left),
            *(f"{fault_id}: {LASTS}" for fault_id in self._lasting),
        )
        at_us = SYSTEM_CLOCK.wall_us()
        self._books.write(Entry(run=self._run, step="ended", data={"verdict": verdict, "why": "; ".join(told)}))
        found = rows.ended(
            self._run,
            self._plan,
            Verdict(kind=verdict, reasons=told),
            {},
            runner="Chaos Toolkit",
            began_us=self._began_us,
            at_us=at_us,
        )
        for row in (*rows.of_faults(self._run, self._seen(), began_us=self._began_us), *found):
            self._events.record(*row)

    def _seen(self) -> Observations:
        """Each fault with its recovery, or its loss."""
        try:
            return Observations(faults=self._recovered(self._facts, self._began_us))
        except SupervisorError:
            return Observations()  # nobody tells: whoever comes next finds the steps, and no end of them

    def _facts(self) -> tuple[FaultFact, ...]:
        return tuple(map(self._fact, self._begun))

    def _fact(self, order: m.FaultOrder) -> FaultFact:
        """Of what could not be armed it is that it was begun, and was not injected."""
        aim = self._aims.get(order.fault_id)
        return FaultFact(
            fault_id=order.fault_id,
            fault=order.fault,
            target=order.hit.name,
            injected_at_s=None if aim is None else aim.injected_s,
            undone_at_s=None if aim is None else aim.undone_s,
            evidence="" if aim is None else aim.evidence,
            lasts=order.hit.kind in LASTING_KINDS,
            strikes=strikes_of(self._striker.struck(order.fault_id), self._began_at),
        )

    # -- while it is on -----------------------------------------------------------------------------------------------

    def _inject(self) -> list[_Aim]:
        """Arm all, inject all, and wait until each is over."""
        aims: list[_Aim] = []
        for order in self._orders:
            self._watch.look()
            self._write("arming", order, **self._striker.prepare(order))
            self._begun.append(order)
            self._armed.append(order)
            self._striker.arm(order)
            self._write("armed", order)
            now = SYSTEM_CLOCK.now()
            aim = _Aim(order, self._striker.sight_before(order), due_at=now, ends_at=now + order.lease_s)
            aims.append(aim)
            self._aims[order.fault_id] = aim
        while True:
            self._watch.look()
            if self._ended:
                raise RunStoppedError(self._run, reason="it was cleared")
            for aim in aims:
                self._shoot(aim)
                self._prove(aim)
            now = SYSTEM_CLOCK.now()
            if all(aim.is_done or now >= aim.ends_at for aim in aims):
                wait([aim.looking for aim in aims if aim.looking is not None], _LAST_LOOK_S)
                return aims
            sleep(_PROVE_EVERY_S)

    def _shoot(self, aim: _Aim) -> None:
        """Inject it as often as it is asked for."""
        now = SYSTEM_CLOCK.now()
        if aim.under_way is not None and aim.under_way.done():
            aim.under_way.result()
            aim.under_way, aim.due_at = None, now + cast("float", aim.order.how.get("every_s", 1.0))
        wanted = cast("int", aim.order.how.get("times", 1))
        if aim.under_way is None and aim.times < wanted and aim.due_at <= now < aim.ends_at:
            aim.times += 1
            aim.injected_s = now - self._began_at if aim.injected_s is None else aim.injected_s
            aim.under_way = self._pool.submit(self._strike, aim, aim.times)

    def _prove(self, aim: _Aim) -> None:
        if aim.looking is not None and aim.looking.done():
            aim.looking.result()
            aim.looking = None
        if aim.looking is None and aim.times and not aim.evidence:
            aim.looking = self._pool.submit(self._look, aim)

    # -- on threads: a later life may have to be waited for, and a node that does not answer holds up no stop ---------

    def _strike(self, aim: _Aim, time: int) -> None:
        self._write("injected", aim.order, detail=self._striker.inject(aim.order, time))

    def _look(self, aim: _Aim) -> None:
        try:
            now = self._striker.sight(aim.order)
        except Errors:
            return  # who was to be looked at, or through, is gone for the moment
        evidence = prove(aim.order.fault, aim.order.how, before=aim.before, now=now)
        if evidence and not self._ended:
            aim.evidence = evidence
            self._write("proven", aim.order, evidence=evidence)

    def _undo(self) -> tuple[str, ...]:
        """Undo what was armed; what is on still."""
        left: list[str] = []
        armed, self._armed = self._armed, []
        for order in armed:
            if order.hit.kind in LASTING_KINDS:
                self._write("kept_on", order, reason=LASTS)
                self._lasting.append(order.fault_id)
                continue
            why = self._undone(order)
            if why:
                self._write("kept_on", order, reason=why)
                self._armed.append(order)
                left.append(order.fault_id)
        return tuple(left)

    def _undone(self, order: m.FaultOrder) -> str:
        """Why it is on still; nothing: it is not."""
        why = ""
        for _ in range(_UNDO_TRIES):
            try:
                self._write("undone", order, by="runner", did=self._striker.undo(order))
                if order.fault_id in self._aims:
                    self._aims[order.fault_id].undone_s = SYSTEM_CLOCK.now() - self._began_at
            except Errors as error:
                why = str(error) or type(error).__name__
                sleep(_UNDO_AGAIN_S)  # its watchdog tries, too
            else:
                return ""
        return why

    def _write(self, step: Step, order: m.FaultOrder, **data: Any) -> None:
        entry = Entry(run=self._run, step=step, fault=order.fault_id, data=data)
        self._books.write(entry, self._striker.node_of(order.fault_id))
