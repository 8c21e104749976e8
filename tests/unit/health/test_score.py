"""Scores add up by weight, critical ones cap, and dependencies take others down."""

from __future__ import annotations

from typing import Any

import pytest

from actors.health.answers import Outcome
from actors.health.probe import Probe
from actors.health.score import (
    ComponentState,
    Weighed,
    causes,
    effective_scores,
    own_score,
    state_of,
    system_score,
)
from tests.unit.health.scene import probe


def _probe(*outcomes: Outcome, place: str = "", score: float | None = None, **fields: Any) -> Probe:
    made = Probe(probe(**fields), place=place)
    for outcome in outcomes:
        made.count(outcome, score)
    return made


BAD: tuple[Outcome, ...] = ("failed",) * 3


@pytest.mark.parametrize(
    ("probes", "state"),
    [
        ([], "unknown"),
        ([_probe()], "unknown"),
        ([_probe("passed")], "healthy"),
        ([_probe("passed"), _probe(kind="readiness")], "unknown"),
        ([_probe("passed"), _probe(*BAD, kind="readiness")], "unready"),
        ([_probe(*BAD), _probe(*BAD, kind="readiness")], "unhealthy"),
        ([_probe(*BAD, kind="startup"), _probe()], "unhealthy"),
        ([_probe(kind="startup"), _probe(*BAD, kind="readiness")], "starting"),
        ([_probe("passed", "unreachable", "unreachable", "unreachable")], "unknown"),
        ([_probe("passed", place="a"), _probe(*BAD, place="b")], "unhealthy"),
    ],
)
def test_the_worst_of_its_probes_is_the_state(probes: list[Probe], state: ComponentState) -> None:
    assert state_of(probes) == state


def test_own_scores() -> None:
    assert own_score([]) is None
    assert own_score([_probe("failed")]) is None
    assert own_score([_probe("passed")]) == 100.0
    assert own_score([_probe("passed", "failed", failures=2)]) == 75.0
    assert own_score([_probe("passed", "failed", kind="readiness")]) == 100.0
    assert own_score([_probe("passed"), _probe(*BAD, kind="readiness")]) == 50.0
    assert own_score([_probe(*BAD)]) == 0.0
    assert own_score([_probe("passed", score=40.0)]) == 40.0
    assert own_score([_probe("passed", place="a"), _probe(*BAD, place="b")]) == 50.0
    assert own_score([_probe("passed")], flapping=True) == 50.0


def _weighed(own: float | None, *, weight: float = 1.0, critical: bool = False) -> Weighed:
    return Weighed(state="healthy", own=own, weight=weight, critical=critical)


def test_a_component_loses_half_of_what_its_worst_dependency_lost() -> None:
    needs = {"db": (), "cache": (), "api": ("db", "cache", "elsewhere"), "web": ("api",), "new": ("db",)}
    known = {
        "db": _weighed(0.0),
        "cache": _weighed(90.0),
        "api": _weighed(100.0),
        "web": _weighed(60.0),
        "new": _weighed(None),
    }
    assert effective_scores(known, needs, ("db", "cache", "api", "web", "new")) == {
        "db": 0.0,
        "cache": 90.0,
        "api": 50.0,
        "web": 60.0,
        "new": None,
    }


def test_the_system_is_the_weighted_mean_and_never_better_than_a_critical_one() -> None:
    known = {"a": _weighed(100.0, weight=3.0), "b": _weighed(20.0), "c": _weighed(None, critical=True)}
    scores = {name: each.own for name, each in known.items()}
    assert system_score(known, scores) == 80.0
    assert system_score({**known, "b": _weighed(20.0, critical=True)}, scores) == 20.0
    assert system_score({}, {}) is None
    assert system_score({"a": _weighed(50.0, weight=0.0)}, {"a": 50.0}) is None
    assert system_score({"a": _weighed(50.0, weight=0.0, critical=True)}, {"a": 50.0}) == 50.0


def test_the_cause_is_where_it_began() -> None:
    needs = {"db": (), "disk": (), "api": ("db", "disk"), "web": ("api", "elsewhere"), "alone": ()}
    states: dict[str, ComponentState] = dict.fromkeys(needs, "healthy")
    order = ("db", "disk", "alone", "api", "web")
    assert causes(states, needs, order) == {}
    assert causes({**states, "db": "unhealthy"}, needs, order) == {"api": ("db",), "web": ("db",)}
    assert causes({**states, "db": "unready", "disk": "unhealthy", "api": "unhealthy"}, needs, order) == {
        "api": ("db", "disk"),
        "web": ("db", "disk"),
    }
    assert causes({**states, "api": "unhealthy"}, needs, order) == {"web": ("api",)}
