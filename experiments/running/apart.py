"""A run whose injector may be killed: it is carried out in an actor of its own, and told of by its successor.

The program that asked for the run lives on, ends what the dead one left, and writes the verdict.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import RayError

from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.errors import SupervisorError
from experiments.hands.hands import Hands
from experiments.judging.facts import FaultFact, Observations, StrikeFact
from experiments.judging.verdict import Verdict
from experiments.ledger import rows
from experiments.report.run import RunReport
from experiments.running.afterword import UNTOLD, entries_of, tell_steps
from experiments.running.books import clear_gone, standing
from experiments.running.interrupting import see_through
from experiments.running.performing import Performance
from experiments.running.recovery import recovered
from experiments.running.staging import Stage
from experiments.running.striking import NOBODY_HIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from experiments.ledger.entry import Entry
    from experiments.model.experiment import Experiment
    from experiments.model.faults import FaultKind
    from experiments.running.arranging import Arranged
    from supervisor import Supervisor

CLEARED_S = 10.0
_LOOK_EVERY_S = 0.05
_US = 1_000_000
_GONE = "its runner was gone; its watchdogs and its successor ended what it had left on"


class Injector:
    """The actor."""

    def perform(self, supervisor: str, experiment: Experiment, arranged: Arranged, run: str) -> RunReport:
        """See `Performance.perform`."""
        from supervisor.handle import Supervisor as Handle  # noqa: PLC0415 - the actor's own

        sup = Handle.of_process(supervisor)
        hands = Hands(supervisor)
        try:
            with Stage(sup, experiment.chaos.scene, build=False) as stage:
                performance = Performance(sup, hands, stage, experiment, arranged, run=run)
                # Also where Ray has this actor end: the program that waits for it is told what came of it so far.
                return see_through(performance.perform, performance.stop).result
        finally:
            hands.close()


def run_apart(sup: Supervisor, hands: Hands, experiment: Experiment, arranged: Arranged, *, run: str) -> RunReport:
    """Have it run by an actor; if that is killed, end the run and tell of it.

    Raises: As `Performance.perform`.
    """
    wrap: Any = ray.remote(Injector)
    actor = wrap.options(num_cpus=0, max_restarts=0).remote()
    began_us = SYSTEM_CLOCK.wall_us()
    try:
        return ray.get(actor.perform.remote(sup.name, experiment, arranged, run))
    except RayError as error:
        cause = getattr(error, "cause", None)
        if isinstance(cause, Exception):
            raise cause from None
    finally:
        ray.kill(actor, no_restart=True)
    return _succeed(sup, hands, experiment, arranged, run=run, began_us=began_us)


def _succeed(
    sup: Supervisor, hands: Hands, experiment: Experiment, arranged: Arranged, *, run: str, began_us: int
) -> RunReport:
    """End what it left on, and report."""
    until = SYSTEM_CLOCK.now() + CLEARED_S
    told: list[str] = []
    while True:
        told += clear_gone(hands, sup.name)
        seen, _ = standing(hands)
        mine = seen.runs.get(run)
        if mine is None or not (mine.goes_on or mine.undoable) or SYSTEM_CLOCK.now() >= until:
            break
        sleep(_LOOK_EVERY_S)
    entries = entries_of(hands, seen, run)
    with suppress(SupervisorError):  # without a log nobody is told
        tell_steps(sup.events, run, entries)
    faults = recovered(sup, arranged.survey, run, lambda: faults_of(entries, arranged, began_us), began_us=began_us)
    left = tuple(mine.active) if mine is not None else ()
    reasons = (_GONE, *dict.fromkeys(told), *(f"still on: {each}" for each in left))
    now_us = SYSTEM_CLOCK.wall_us()
    report = RunReport(
        run=run,
        experiment=experiment,
        plan=arranged.plan,
        verdict=Verdict(kind="aborted", reasons=reasons),
        seen=Observations(faults=tuple(map(_told_of, faults))),
        started_us=began_us,
        lasted_s=(now_us - began_us) / _US,
        trace_id=f"{rows.trace_of(run):032x}",
    )
    for row in rows.of_faults(run, report.seen, began_us=began_us):
        sup.events.record(*row)
    for row in rows.ended(
        run, arranged.plan, report.verdict, report.numbers(), runner="successor", began_us=began_us, at_us=now_us
    ):
        sup.events.record(*row)
    return report


def _told_of(fault: FaultFact) -> FaultFact:
    """Of what was armed, and not told to be injected, nobody knows whether it was: its injector was gone."""
    return replace(fault, loss=UNTOLD) if fault.injected_at_s is None else fault


def faults_of(entries: Iterable[Entry], arranged: Arranged, began_us: int) -> tuple[FaultFact, ...]:
    """Each fault as the ledgers tell of it."""
    found: dict[str, dict[str, Any]] = {}
    kinds: dict[str, FaultKind] = {str(planned.place): planned.fault for planned in arranged.plan.faults}
    for entry in entries:
        at_s = (entry.at_us - began_us) / _US
        fields = found.setdefault(entry.fault, {}) if entry.fault else {}
        match entry.step:
            case "injected":
                fields.setdefault("injected_at_s", at_s)
                if _kind(entry.fault, kinds) == "crash" and entry.data.get("detail") != NOBODY_HIT:
                    fields["strikes"] = (*fields.get("strikes", ()), StrikeFact(at_s=at_s))
            case "proven":
                fields["evidence"] = str(entry.data.get("evidence", ""))
            case "undone":
                fields["undone_at_s"] = at_s
            case _:
                pass
    return tuple(
        FaultFact(fault_id=fault_id, fault=_kind(fault_id, kinds), target=fault_id.split(".", 2)[2], **fields)
        for fault_id, fields in found.items()
    )


def _kind(fault_id: str, kinds: Mapping[str, FaultKind]) -> FaultKind:
    return kinds[fault_id.partition(".")[0]]
