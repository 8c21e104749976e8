"""Everything that is known of one run, as one value that every report is made from. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import quantiles
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from experiments.judging.facts import LogFact, Observations
    from experiments.judging.verdict import Verdict
    from experiments.model.experiment import Experiment
    from experiments.planning.plan import Plan
    from experiments.recommend import Recommendation

_LEAST = 2

INTERRUPTED = "it was interrupted (Ctrl-C)"
TERMINATED = "it was interrupted (SIGTERM)"
"""Why a run was stopped that its own program was told to stop; what was to come after it does not come."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the run: a round, or a fault that was on."""

    begin_s: float
    end_s: float
    what: str
    kind: Literal["baseline", "fault"]


@dataclass(frozen=True, slots=True)
class HealthPoint:
    """A health score at one moment."""

    at_s: float
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """One run.

    Attributes:
        run: Its name.
        experiment: What was run.
        plan: What was done to whom.
        verdict: What it came to.
        seen: What that rests on.
        started_us: When it began, wall-clock microseconds.
        lasted_s: How long it took.
        rounds: Its rounds.
        events: What the log tells of it.
        health: The system's score over time; empty where there is no monitor.
        recommendations: What would mend what it found.
        trace_id: Its trace.
        platform: Versions, in words.
        effect_s: From the order to inject to the sight of the effect, the longest of all faults, seconds.
    """

    run: str
    experiment: Experiment
    plan: Plan
    verdict: Verdict
    seen: Observations
    started_us: int
    lasted_s: float
    rounds: tuple[Span, ...] = ()
    events: tuple[LogFact, ...] = ()
    health: tuple[HealthPoint, ...] = ()
    recommendations: tuple[Recommendation, ...] = ()
    trace_id: str = ""
    platform: str = ""
    effect_s: float | None = None

    @property
    def was_interrupted(self) -> bool:
        """Whether its own program was told to stop."""
        return any(why in reason for why in (INTERRUPTED, TERMINATED) for reason in self.verdict.reasons)

    def faults_on(self) -> tuple[Span, ...]:
        """When each fault was on."""
        found: list[Span] = []
        for fault in self.seen.faults:
            if fault.injected_at_s is not None:
                end_s = self.lasted_s if fault.undone_at_s is None else fault.undone_at_s
                found.append(Span(fault.injected_at_s, end_s, f"{fault.fault} {fault.target}", "fault"))
        return tuple(found)

    def quantile_s(self, phase: Literal["baseline", "fault"], percent: int) -> float | None:
        """A percentile of the load's latency in rounds of one kind, seconds."""
        durations = [call.duration_s for call in self.seen.in_phase(phase)]
        return quantiles(durations, n=100)[percent - 1] if len(durations) >= _LEAST else None

    def numbers(self) -> dict[str, float | None]:
        """What was measured, in one line each; None: it was not."""
        seen = self.seen
        checked = seen.checked
        return {
            "injection to effect, s": self.effect_s,
            "time to detect, s": seen.worst("detect_s"),
            "time to recover, s": seen.worst("recover_s"),
            "tasks attempted": float(len(seen.calls)) if seen.calls else None,
            "tasks failed": float(seen.failed) if seen.calls else None,
            "error budget burned": seen.budget(self.experiment.chaos.limits.objective),
            "median latency shift, s": None if seen.shift is None else seen.shift.shift_s,
            "chance of that shift": None if seen.shift is None else seen.shift.p,
            "p50 without the fault, s": self.quantile_s("baseline", 50),
            "p50 under the fault, s": self.quantile_s("fault", 50),
            "p99 without the fault, s": self.quantile_s("baseline", 99),
            "p99 under the fault, s": self.quantile_s("fault", 99),
            "tasks lost": None if checked is None else float(checked.lost.count),
            "keys doubled": None if checked is None else float(checked.doubled.count),
            "effects asked for again": None if seen.asked_again is None else float(seen.asked_again),
            "tasks unexpected": None if checked is None else float(checked.unexpected.count),
            "score": self.verdict.score,
        }
