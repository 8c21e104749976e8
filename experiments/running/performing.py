"""One run from its arrangement to its report: what runs meanwhile, what is looked at, what is written down."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import ray

from actors.runtime.clock import SYSTEM_CLOCK
from experiments.errors import PlanRefusedError
from experiments.faults.succession import this_runner
from experiments.judging.facts import Observations
from experiments.judging.verdict import Verdict, may_start
from experiments.ledger import messages as m
from experiments.ledger import rows
from experiments.running.books import Books
from experiments.running.concluding import Conclusion
from experiments.running.load import RunningLoad
from experiments.running.probing import Probes
from experiments.running.runner import Runner
from experiments.running.striking import Striker
from experiments.running.watching import Errors, unfit_guards
from experiments.running.witness import Witness

if TYPE_CHECKING:
    from experiments.hands.hands import Hands
    from experiments.model.experiment import Experiment
    from experiments.report.run import RunReport
    from experiments.running.arranging import Arranged
    from experiments.running.staging import Stage
    from supervisor import Supervisor


class Performance:
    """One run.

    Args:
        sup: The supervisor.
        hands: The hands of its nodes.
        stage: Submits the load.
        experiment: What is run.
        arranged: Its plan, which was not refused, and who is there.
        run: Its name.
    """

    def __init__(
        self, sup: Supervisor, hands: Hands, stage: Stage, experiment: Experiment, arranged: Arranged, *, run: str
    ) -> None:
        self._sup = sup
        self._experiment = experiment
        self._plan = arranged.plan
        self._run = run
        self._hands = hands
        pid, ticks, _ = this_runner()
        self._who = f"{pid}/{ticks}"
        chaos = experiment.chaos
        self._witness = Witness(ray.util.get_node_ip_address(), chaos.load.effects)
        submit = partial(stage.submit, chaos.load, self._witness)
        durable = stage.durable(chaos.load, prefix=run)
        self._load = RunningLoad(chaos.load, submit, self._witness, prefix=run, durable=durable)
        self._probes = Probes(sup, self._load, began_us=SYSTEM_CLOCK.wall_us())
        self._books = Books(hands, sup.events, run=run, plan=self._plan)
        self._conclusion = Conclusion(
            sup,
            run,
            experiment,
            load=self._load,
            probes=self._probes,
            before=arranged.survey,
            scene=stage.made_with(),
            others=self._books.touched_by_others,
        )
        self._runner = Runner(
            experiment,
            self._plan,
            run=run,
            books=self._books,
            striker=Striker(sup, hands, run=run, load=self._load, dependencies=arranged.hosts),
            probes=self._probes,
            load=self._load,
            hands=hands,
            conclude=self._conclusion,
        )

    def perform(self) -> RunReport:
        """Carry it out.

        Raises:
            PlanRefusedError: Others run, or hit the same; nothing was touched.
            ChaosError: The ledger cannot be written; nothing was touched.
        """
        try:
            return self._perform()
        except BaseException as error:
            self._abandon(f"it broke off: {type(error).__name__}: {error}")
            raise
        finally:
            self._load.stop(0.0)
            self._witness.close()
            self._hands.own.forget_stop(self._run)

    def stop(self, why: str) -> None:
        """Have it end early, from any thread; what was seen until then is judged and told."""
        self._runner.stop(why)

    def _perform(self) -> RunReport:
        findings = self._runner.findings
        before = self._runner.look("before")
        refused = may_start(Observations(probes=before))
        unfit = unfit_guards(self._experiment.chaos.safety.guards, self._probes) if refused is None else ()
        if unfit:
            refused = Verdict(kind="not_started", reasons=unfit)
        if refused is not None:
            return self._tell(self._not_started(refused))
        why = self._books.begin(self._sup.config.chaos.experiments_max)
        if why:
            raise PlanRefusedError(self._experiment.name, problems=(why,))
        self._sup.events.record(*rows.began(self._run, self._plan, runner=self._who, at_us=findings.began_us))
        ended = self._runner.execute()
        return self._tell(self._conclusion.report(self._run, findings, ended))

    def _abandon(self, why: str) -> None:
        """Write down that it has ended: this process may live on, and nobody would take its run for gone."""
        with suppress(*Errors):
            if self._books.abandon(why):
                verdict = Verdict(kind="aborted", reasons=(why,))
                self._record_end(verdict, {}, self._runner.findings.began_us)

    def _not_started(self, verdict: Verdict) -> RunReport:
        findings = self._runner.findings
        ended = m.EndRun(verdict="not_started", why="; ".join(verdict.reasons))
        return self._conclusion.report_of_nothing(self._run, findings, ended, verdict)

    def _tell(self, report: RunReport) -> RunReport:
        """Into the event log."""
        began_us = report.started_us
        for row in rows.of_faults(self._run, report.seen, began_us=began_us):
            self._sup.events.record(*row)
        self._record_end(report.verdict, report.numbers(), began_us)
        return report

    def _record_end(self, verdict: Verdict, numbers: dict[str, float | None], began_us: int) -> None:
        now_us = SYSTEM_CLOCK.wall_us()
        for row in rows.ended(
            self._run, self._plan, verdict, numbers, runner=self._who, began_us=began_us, at_us=now_us
        ):
            self._sup.events.record(*row)
