"""Two runs of one experiment: one that deviated, and one after its finding was mended."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from random import Random

from experiments.checker import Effect, Ended, Submitted, check
from experiments.judging.facts import CallFact, FaultFact, LogFact, Observations, ProbeFact, When
from experiments.judging.matching import match
from experiments.judging.ranks import compare
from experiments.judging.verdict import judge
from experiments.model.experiment import Experiment
from experiments.model.loading import load_experiment
from experiments.planning.inventory import Inventory, Target
from experiments.planning.planning import make_plan
from experiments.recommend import Evidence, recommend
from experiments.report.run import HealthPoint, RunReport, Span

TARGETS = tuple(Target(name=f"worker/w{n}", kind="worker", node="n0", group="default") for n in range(4))
LASTED_S = 18.0
MOMENTS: tuple[tuple[When, float], ...] = (("before", 0.0), ("during", 8.0), ("after", 17.5))
ROUNDS = (Span(0.0, 6.0, "baseline", "baseline"), Span(6.0, 14.0, "fault", "fault"))


@cache
def experiment() -> Experiment:
    whole = load_experiment("kill-worker")
    limits = {"recover_s": 2, "error_share": 0}
    chaos = type(whole.chaos).parse({**whole.chaos.model_dump(), "limits": limits}, source="scene")
    return whole.model_copy(update={"chaos": chaos})


def calls(worse_s: float, failed: int) -> tuple[CallFact, ...]:
    rng = Random(3)
    found: list[CallFact] = []
    for number in range(700):
        at_s = 0.02 * number
        phase = "baseline" if at_s < 6 else "fault"
        hit = 6.5 <= at_s < 6.5 + 100 * worse_s
        ok = not (hit and number % 9 == 0 and failed > 0)
        failed -= not ok
        found.append(CallFact(at_s, rng.lognormvariate(-4.3, 0.35) + (worse_s if hit else 0.0), ok, phase))
    return tuple(found)


AT_S = 6.5


def events_of(victim: str, recovered_s: float) -> tuple[LogFact, ...]:
    return (
        LogFact(event_id="children/41", at_s=AT_S + 0.02, subject=victim, event="died", incarnation=1, detail="killed"),
        LogFact(event_id="children/42", at_s=AT_S + 0.4, subject="supervisor/root", event="restarting"),
        LogFact(event_id="children/43", at_s=AT_S + recovered_s, subject=victim, event="ready", incarnation=2),
    )


def seen_of(victim: str, events: tuple[LogFact, ...], load: tuple[CallFact, ...]) -> Observations:
    fault = FaultFact(
        fault_id=f"0.1.{victim}",
        fault="crash",
        target=victim,
        injected_at_s=AT_S,
        undone_at_s=AT_S + 5,
        evidence="pid 4711 is gone from /proc",
    )
    names = ["no task is lost", "no key has two effects", "every worker runs"]
    durations = {phase: [call.duration_s for call in load if call.phase == phase] for phase in ("baseline", "fault")}
    return Observations(
        probes=tuple(
            ProbeFact(name=name, when=when, at_s=at, held=True, why="0, and 0 is expected", value=0)
            for when, at in MOMENTS
            for name in names
        ),
        faults=match([fault], events),
        calls=load,
        checked=check([Submitted("a"), Effect("a", "t"), Ended("a", True, "t")]),
        shift=compare(durations["baseline"], durations["fault"]),
        invariants_seen=True,
    )


@cache
def report(run: str = "r1", *, recovered_s: float = 5.0, failed: int = 5, worse_s: float = 0.05) -> RunReport:
    asked = experiment()
    plan = make_plan(asked, Inventory(targets=TARGETS, embedded=True))
    (victim,) = plan.targets
    events = events_of(victim, recovered_s)
    seen = seen_of(victim, events, calls(worse_s, failed))
    lost = tuple(f"tasks/{number}" for number in range(900, 900 + seen.failed))
    evidence = Evidence(
        seen=seen,
        events=events,
        settings={"pool/default": {"standbys": 0}},
        group_of={target.name: "pool/default" for target in TARGETS},
        failures={"WorkerLostError": lost} if lost else {},
    )
    return RunReport(
        run=run,
        experiment=asked,
        plan=plan,
        verdict=judge(seen, asked.chaos),
        seen=seen,
        started_us=1_795_906_153_010_499,
        lasted_s=LASTED_S,
        rounds=ROUNDS,
        events=events,
        health=(HealthPoint(0.0, 100.0), HealthPoint(6.6, 62.0), HealthPoint(9.0, 80.0), HealthPoint(11.5, 100.0)),
        recommendations=recommend(evidence, asked.chaos),
        trace_id="0af7651916cd43dd8448eb211c80319c",
        platform="Linux, Python 3.11, Ray 2.60",
    )


def mended() -> RunReport:
    return report("r2", recovered_s=0.05, failed=0, worse_s=0.0)


def hostile() -> RunReport:
    """One whose every text tries to get out of its place."""
    text = "</title></style><script>alert(1)</script>\x00\x1b[31m \"'&<>"
    whole = report()
    event = replace(whole.events[0], subject=text, detail=text, event=text)
    renamed = whole.experiment.model_copy(update={"title": text, "description": text})
    verdict = replace(whole.verdict, reasons=(text,))
    return replace(whole, run=text, experiment=renamed, verdict=verdict, events=(event,), platform=text)
