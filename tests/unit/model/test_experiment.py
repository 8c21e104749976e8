"""An experiment from Python: its names, its faults, and everything that is wrong with it at once."""

from __future__ import annotations

from typing import Any

import pytest

import experiments
from actors.runtime.errors import ConfigError
from experiments.model.experiment import Experiment, from_file

KILL = {
    "type": "action",
    "name": "kill",
    "provider": {
        "type": "python",
        "module": "experiments.driver",
        "func": "inject",
        "arguments": {"fault": "crash", "target": {"kind": "worker"}},
    },
}


def test_the_package_hands_it_out() -> None:
    assert experiments.Experiment is Experiment
    with pytest.raises(AttributeError, match="no attribute 'Experimnt'"):
        _ = experiments.Experimnt


def test_an_experiment_has_a_name_and_its_faults() -> None:
    made = Experiment(title="What? A killed worker!", description="d", method=(KILL, KILL))  # pyright: ignore[reportArgumentType]
    assert made.name == "what-a-killed-worker"
    assert [(place, fault.fault) for place, fault in made.faults()] == [(0, "crash"), (1, "crash")]
    assert Experiment(title="???", description="d", method=()).name == "experiment"


def test_a_hypothesis_only_looks_and_says_what_it_expects() -> None:
    look: dict[str, Any] = {
        "type": "probe",
        "name": "p",
        "provider": {"type": "python", "module": "experiments.driver", "func": "unrecovered"},
    }
    with pytest.raises(ConfigError) as caught:
        Experiment(title="t", description="d", method=(), hypothesis={"title": "h", "probes": [look, KILL]})  # pyright: ignore[reportArgumentType]
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        "hypothesis.probes[0].tolerance",
        "hypothesis.probes[1].tolerance",
        "hypothesis.probes[1].type",
    ]


def test_a_file_has_our_part_among_the_extensions() -> None:
    data = {"steady-state-hypothesis": 1, "extensions": [{"name": "other"}, {"name": "ray-supervisor", "seed": 3}]}
    assert from_file(data) == {"hypothesis": 1, "extensions": [{"name": "other"}], "chaos": {"seed": 3}}


def test_a_limit_for_latency_needs_a_baseline_among_the_rounds() -> None:
    def made(rounds: int) -> Experiment:
        chaos = {"limits": {"latency_shift_s": 0.1}, "interleaving": {"rounds": rounds}}
        return Experiment.parse({"title": "t", "description": "d", "method": [KILL], "chaos": chaos}, source="t")

    assert made(2).chaos.limits.latency_shift_s == 0.1
    with pytest.raises(ConfigError) as caught:
        made(1)
    (problem,) = caught.value.problems
    assert problem.startswith("chaos.limits.latency_shift_s: is judged against rounds without the fault")
