"""Health is what the monitor tells now; a budget burns by what was counted, and by nothing else."""

from __future__ import annotations

import pickle
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from actors.health.published import HealthStanding
from actors.health.report import Check, SystemHealth
from actors.runtime.replicated import Replica
from actors.service.errors import ServiceUnreachableError
from actors.service.posting import Posted
from experiments.model.functions import Burn
from experiments.model.loading import load_experiment
from experiments.model.safety import Guard
from experiments.planning.planning import make_plan
from experiments.running import vitals as vitals_of
from experiments.running.arranging import inventory_of
from experiments.running.books import Standing
from experiments.running.probing import Probes
from experiments.running.vitals import STALE_SAMPLES, burned, vitals
from experiments.running.watching import read_guard
from supervisor.chaos_settings import ChaosSettings

SAMPLE_S = 5.0
LAID = HealthStanding(score=90.0, scores={"db": 80.0})


class Monitor:
    """Answers, or is dead."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[str] = []

    def ask(self, what: str, *_: Any, **named: Any) -> Any:
        assert named["start"] is False
        self.asked.append(what)
        if self.answer is None:
            raise ServiceUnreachableError("health/main", what=what, waited_s=1.0)
        return self.answer


def supervisor(monkeypatch: pytest.MonkeyPatch, age_s: float | None, monitor: Monitor) -> Any:
    laid = None if age_s is None else Posted(replica=Replica(1, 1, pickle.dumps(LAID)), age_s=age_s)
    monkeypatch.setattr(vitals_of, "posted_on", lambda *_: laid)
    return SimpleNamespace(
        name="s", config=SimpleNamespace(health=SimpleNamespace(sample_s=SAMPLE_S)), service=lambda _: monitor
    )


def test_what_is_fresh_on_the_board_is_taken_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monitor = Monitor(None)
    found = vitals(supervisor(monkeypatch, STALE_SAMPLES * SAMPLE_S, monitor))
    assert found is not None
    assert (found.of("*"), found.of("db"), found.of("other"), monitor.asked) == (90.0, 80.0, None, [])
    assert vitals(supervisor(monkeypatch, None, monitor)) is None


def test_what_is_old_is_believed_only_if_its_monitor_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    old_s = STALE_SAMPLES * SAMPLE_S + 0.1
    assert vitals(supervisor(monkeypatch, old_s, Monitor(None))) is None
    stable: Any = "stable"
    alive = Monitor(SystemHealth(score=70.0, trend=stable, components={}))
    found = vitals(supervisor(monkeypatch, old_s, alive))
    assert found is not None
    assert (found.of("*"), alive.asked) == (70.0, ["report"])


def test_a_guard_on_the_health_that_a_dead_monitor_left_is_no_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    load: Any = None
    probes = Probes(supervisor(monkeypatch, 1_000.0, Monitor(None)), load, began_us=0)
    guard = Guard(name="well", probe="health_score", tolerance={"type": "range", "range": [50, 100]})
    assert type(read_guard(guard, probes)).__name__ == "GuardFailed"
    assert probes.score() is None


def test_the_start_check_does_not_believe_it_either(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = load_experiment("kill-worker")
    cautious = asked.chaos.model_copy(update={"safety": asked.chaos.safety.model_copy(update={"least_health": 50.0})})
    for age_s, refused in ((1.0, False), (1_000.0, True)):
        sup = supervisor(monkeypatch, age_s, Monitor(None))
        sup.config.chaos, sup.embedded = ChaosSettings(), True
        seen: Any = SimpleNamespace(targets=())
        found = inventory_of(sup, seen, Standing(runs={}, places={}, alive=frozenset()), [], asked)
        plan = make_plan(asked.model_copy(update={"chaos": cautious}), found)
        assert ("health" in {refusal.rule for refusal in plan.refusals}) is refused


def checks(bad: int, good: int, **changed: Any) -> list[Check]:
    good_one = replace(Check(kind="liveness", place="", outcome="passed"), **changed)
    bad_one = replace(Check(kind="liveness", place="", outcome="failed"), **changed)
    return [bad_one] * bad + [good_one] * good


def test_one_in_a_hundred_bad_burns_a_hundredth_of_what_the_objective_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monitor = Monitor(tuple(checks(1, 99)))
    load: Any = None
    probes = Probes(supervisor(monkeypatch, None, monitor), load, began_us=0)
    assert probes.value("slo_burn", Burn(component="db", objective=0.99)) == pytest.approx(0.01 / (1 - 0.99))
    assert probes.value("slo_burn", Burn(component="db", objective=0.9)) == pytest.approx(0.1)


def test_what_was_not_counted_or_could_not_be_reached_burns_nothing() -> None:
    untold = [*checks(5, 0, counted=False), *checks(0, 5, outcome="unreachable")]
    assert burned([*checks(1, 99), *untold], 0.99) == pytest.approx(1.0)
    assert burned(untold, 0.99) is None
    assert burned([], 0.99) is None
