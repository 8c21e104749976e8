"""What is found out during a run, kept until it is judged."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from ray.exceptions import RayError

from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.errors import SupervisorError
from experiments.judging.facts import FaultFact, ProbeFact, StrikeFact
from experiments.model.functions import PROBES
from experiments.model.lasting import LASTING_KINDS
from experiments.report.run import HealthPoint, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from experiments.judging.facts import When
    from experiments.model.activities import Activity
    from experiments.model.experiment import Experiment
    from experiments.model.tolerances import Tolerance
    from experiments.planning.plan import Phase, Plan
    from experiments.running.probing import Probes


@dataclass(slots=True, kw_only=True)
class Findings:
    """Times are seconds since the run began.

    Attributes:
        began_at: When that was, monotonic seconds.
        began_us: The same, wall-clock microseconds.
        plan: What was planned.
        probes: What was looked at.
        injected_at: When each fault was injected.
        struck: When each crash has hit a life, and which.
        undone_at: When each was undone.
        evidence: What saw each act.
        effect_s: How long after its injection began that was.
        rounds: Rounds that have ended.
        health: The system's score over time.
    """

    began_at: float
    began_us: int
    plan: Plan
    probes: list[ProbeFact] = field(default_factory=list[ProbeFact])
    injected_at: dict[str, float] = field(default_factory=dict[str, float])
    struck: dict[str, tuple[StrikeFact, ...]] = field(default_factory=dict[str, "tuple[StrikeFact, ...]"])
    undone_at: dict[str, float] = field(default_factory=dict[str, float])
    evidence: dict[str, str] = field(default_factory=dict[str, str])
    effect_s: dict[str, float] = field(default_factory=dict[str, float])
    rounds: list[Span] = field(default_factory=list[Span])
    health: list[HealthPoint] = field(default_factory=list[HealthPoint])
    _round: tuple[float, Phase] | None = None

    def since(self) -> float:
        """Seconds since it began."""
        return SYSTEM_CLOCK.now() - self.began_at

    def is_on(self) -> bool:
        """Whether a fault was injected and is not undone."""
        return bool(self.injected_at.keys() - self.undone_at.keys())

    def begin(self, phase: Phase) -> None:
        """A round begins."""
        self.end_rounds()
        self._round = (self.since(), phase)

    def end_rounds(self) -> None:
        """The round that goes on has ended."""
        if self._round is not None:
            begin_s, phase = self._round
            self.rounds.append(Span(begin_s, self.since(), phase, phase))
            self._round = None

    def faults(self) -> tuple[FaultFact, ...]:
        """Each fault of each round as far as it came."""
        found: list[FaultFact] = []
        for number, phase in enumerate(self.plan.phases):
            for planned in self.plan.faults if phase == "fault" else ():
                for hit in planned.hits:
                    fault_id = f"{planned.place}.{number}.{hit.name}"
                    found.append(
                        FaultFact(
                            fault_id=fault_id,
                            fault=planned.fault,
                            target=hit.name,
                            injected_at_s=self.injected_at.get(fault_id),
                            undone_at_s=self.undone_at.get(fault_id),
                            evidence=self.evidence.get(fault_id, ""),
                            lasts=hit.kind in LASTING_KINDS,
                            strikes=self.struck.get(fault_id, ()),
                        )
                    )
        return tuple(found)


def strikes_of(struck: Iterable[tuple[float, int]], began_at: float) -> tuple[StrikeFact, ...]:
    """What a striker has of a crash, in seconds since the run began."""
    return tuple(StrikeFact(at_s=at - began_at, life=life) for at, life in struck)


UNTOLD = "nothing tells of it"
"""What a probe without a value says: there is no such breaker, no monitor, no task yet."""


def look(experiment: Experiment, probes: Probes, *, when: When, at_s: Callable[[], float]) -> tuple[ProbeFact, ...]:
    """Hold each probe of the hypothesis against its tolerance."""
    found: list[ProbeFact] = []
    for activity in experiment.hypothesis.probes if experiment.hypothesis is not None else ():
        tolerance = cast("Tolerance", activity.judge_by())
        value: object = None
        held: bool | None = None
        try:
            if not activity.is_ours:
                why = f"{activity.provider.module} is not one of ours; `chaos run` calls such probes"
            else:
                value = _value(activity, probes)
                judged = tolerance.judge(value)
                held, why = judged.held, UNTOLD if value is None else judged.why
        except (SupervisorError, RayError, OSError) as error:
            why = str(error)
        found.append(ProbeFact(name=activity.name, when=when, at_s=at_s(), held=held, why=why, value=value))
    return tuple(found)


def _value(activity: Activity, probes: Probes) -> Any:
    """What a probe gives, if it does so within its own timeout."""
    function = activity.provider.func
    arguments = PROBES[function][0].parse(activity.provider.arguments, source=function)
    if activity.timeout is None:
        return probes.value(function, arguments)
    pool = ThreadPoolExecutor(1, thread_name_prefix="chaos-probe")
    asked = pool.submit(probes.value, function, arguments)
    pool.shutdown(wait=False)
    if not wait([asked], activity.timeout).done:
        raise TimeoutError(f"it did not answer within its timeout of {activity.timeout:g} s")
    return asked.result()
