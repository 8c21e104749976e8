"""From what was found during a run, and what the log tells of it, to observations, a verdict and a report."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, TypeVar

from ray.exceptions import RayError

from actors.runtime.clock import sleep
from actors.runtime.errors import SupervisorError
from experiments.judging.facts import Observations
from experiments.judging.invariants import illegal_steps, outside, too_many_restarts
from experiments.judging.ranks import compare
from experiments.judging.verdict import Verdict, judge
from experiments.ledger import messages as m
from experiments.ledger.rows import trace_of
from experiments.recommend import Evidence, recommend
from experiments.report.run import RunReport
from experiments.running.findings import look
from experiments.running.reading import LogSight, collateral, group_of, intensities, settings_now
from experiments.running.recovery import LOOK_EVERY_S, PATIENCE_S, look_at_log, may_recover
from experiments.running.survey import survey

if TYPE_CHECKING:
    from collections.abc import Callable

    from experiments.judging.facts import FaultFact
    from experiments.model.experiment import Experiment
    from experiments.recommend import Settings
    from experiments.running.findings import Findings
    from experiments.running.load import RunningLoad
    from experiments.running.probing import Probes
    from experiments.running.survey import Survey
    from supervisor import Supervisor

T = TypeVar("T")

_RESERVE_S = 3.0
_US = 1_000_000


class Conclusion:
    """Of one run.

    Args:
        sup: The supervisor.
        run: Its name.
        experiment: What is run.
        load: Its load.
        probes: What is looked at.
        before: Who was there when it began.
        scene: What its scene and load were made with, by subject and field.
        others: Whom other runs touched since a moment of the wall clock, microseconds.
    """

    def __init__(  # noqa: PLR0913 - one argument for each source
        self,
        sup: Supervisor,
        run: str,
        experiment: Experiment,
        *,
        load: RunningLoad,
        probes: Probes,
        before: Survey,
        scene: Settings,
        others: Callable[[int], frozenset[str]],
    ) -> None:
        self._sup = sup
        self._run = run
        self._experiment = experiment
        self._load = load
        self._probes = probes
        self._before = before
        self._others = others
        self._settings = self._safely(settings_now)  # what an experiment ends for good is not there afterwards
        for subject, fields in scene.items():
            self._settings[subject] = {**self._settings.get(subject, {}), **fields}
        self._groups = self._safely(group_of)
        self._allowed = intensities(sup)
        self._log = LogSight()
        self._seen = Observations()
        self._verdict: Verdict | None = None

    def __call__(self, findings: Findings) -> m.Concluded:
        """Look at the hypothesis for the last time, and come to a verdict."""
        chaos = self._experiment.chaos
        left_s = chaos.deadline_s - findings.since() - _RESERVE_S
        until_s = findings.since() + max(0.0, min(self._patience_s(findings), left_s))
        faults = self._matched(findings)
        while any(fault.loss for fault in faults) and findings.since() < until_s and may_recover(faults):
            sleep(LOOK_EVERY_S)
            faults = self._matched(findings)
        left_s = chaos.deadline_s - findings.since() - _RESERVE_S
        self._load.stop(max(1.0, min(chaos.load.timeout_s, left_s)))  # a breaker closes by calls only: not before
        findings.probes.extend(look(self._experiment, self._probes, when="after", at_s=findings.since))
        self._seen = self._observations(findings, self._matched(findings))
        self._verdict = judge(self._seen, chaos)
        return m.Concluded(verdict=self._verdict.kind, why="; ".join(self._verdict.reasons))

    def _patience_s(self, findings: Findings) -> float:
        limit_s = self._experiment.chaos.limits.recover_s
        begun_s = max(findings.injected_at.values(), default=0.0)
        return PATIENCE_S if limit_s is None else max(PATIENCE_S, begun_s + limit_s - findings.since())

    def _matched(self, findings: Findings) -> tuple[FaultFact, ...]:
        now_us = findings.began_us + int(findings.since() * _US)
        self._log, matched = look_at_log(
            self._sup,
            self._before,
            self._run,
            findings.faults(),
            began_us=findings.began_us,
            until_us=now_us + _US,
        )
        return matched

    def _observations(self, findings: Findings, faults: tuple[FaultFact, ...]) -> Observations:
        calls = self._load.calls()
        sides = [[call.duration_s for call in calls if call.phase == phase] for phase in ("baseline", "fault")]
        return Observations(
            probes=tuple(findings.probes),
            faults=faults,
            calls=calls,
            checked=self._load.checked(at_the_end=True) if calls else None,
            acknowledged=None if self._load.durable is None else self._load.durable.acknowledged,
            refused=0 if self._load.durable is None else sum(self._load.durable.refused.values()),
            forgotten=self._forgotten(),
            asked_again=self._load.witness.asked_again if calls else None,
            shift=compare(*sides) if all(sides) and not any(fault.lasts for fault in faults) else None,
            broken=self._broken(findings),
            invariants_seen=self._log.seen,
        )

    def _forgotten(self) -> tuple[str, ...] | None:
        try:
            return None if self._load.durable is None else self._load.durable.forgotten()
        except (SupervisorError, RayError, TimeoutError, OSError):
            return None  # nobody could be asked: that is no loss, and not held either

    def _broken(self, findings: Findings) -> tuple[str, ...]:
        given_up = self._log.given_up(self._groups)
        told = (
            *illegal_steps(self._log.steps),
            *too_many_restarts(self._log.restarts, self._allowed, given_up=given_up),
        )
        try:
            return (*told, *self._hit_outside(findings))
        except SupervisorError:
            return told  # nobody leads: who lives is not known, and the hypothesis tells that

    def _hit_outside(self, findings: Findings) -> tuple[str, ...]:
        hits = findings.plan.targets
        others = self._others(findings.began_us)
        excused = self._log.excused() | others | collateral(self._sup, hits | others)
        nodes = {self._before.spots[name].node_id for name in hits if self._before.spots[name].kind == "node"}
        before = {
            name: life
            for name, life in self._before.lives.items()
            if name not in excused and self._before.spots[name].node_id not in nodes
        }
        return outside(hits, before, survey(self._sup).lives)

    # -- the report ---------------------------------------------------------------------------------------------------

    def report(self, run: str, findings: Findings, ended: m.EndRun) -> RunReport:
        """Everything that is known of it."""
        if self._verdict is None:
            self._verdict = self._of_a_stop(findings, ended)
        evidence = Evidence(
            seen=self._seen,
            events=self._log.events,
            settings=self._settings,
            group_of=self._groups,
            failures=self._log.failures,
            taken=self._log.taken,
            deaths=_deaths(findings),
        )
        return RunReport(
            run=run,
            experiment=self._experiment,
            plan=findings.plan,
            verdict=_with_left_on(self._verdict, ended),
            seen=self._seen,
            started_us=findings.began_us,
            lasted_s=findings.since(),
            rounds=tuple(findings.rounds),
            events=self._log.events,
            health=tuple(findings.health),
            recommendations=recommend(evidence, self._experiment.chaos),
            trace_id=f"{trace_of(run):032x}",
            platform=f"Python {platform.python_version()}, Ray {version('ray')}, {platform.system()}",
            effect_s=max(findings.effect_s.values(), default=None),
        )

    def report_of_nothing(self, run: str, findings: Findings, ended: m.EndRun, verdict: Verdict) -> RunReport:
        """Of a run that did not start."""
        self._verdict = verdict
        self._seen = Observations(probes=tuple(findings.probes))
        return self.report(run, findings, ended)

    def _of_a_stop(self, findings: Findings, ended: m.EndRun) -> Verdict:
        self._load.stop(_RESERVE_S)
        self._seen = self._observations(findings, self._matched(findings))
        if ended.verdict == "not_started":
            return Verdict(kind="not_started", reasons=(ended.why,))
        return judge(self._seen, self._experiment.chaos, stopped=ended.why)

    def _safely(self, ask: Callable[[Supervisor], dict[str, T]]) -> dict[str, T]:
        try:
            return ask(self._sup)
        except SupervisorError:
            return {}


def _deaths(findings: Findings) -> dict[str, int]:
    """How often the plan ends each target, in all rounds."""
    rounds = findings.plan.phases.count("fault")
    return {
        hit.name: rounds * int(str(fault.how.get("times", 1)))
        for fault in findings.plan.faults
        if fault.fault == "crash"
        for hit in fault.hits
    }


def _with_left_on(verdict: Verdict, ended: m.EndRun) -> Verdict:
    """What could not be undone is told first, whatever else there is."""
    if not ended.left_on:
        return verdict
    told = f"still on: {', '.join(ended.left_on)}; watchdogs go on trying where that is possible"
    return Verdict(kind=verdict.kind, reasons=(told, *verdict.reasons), score=verdict.score)
