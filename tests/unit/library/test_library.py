"""Each experiment of the library loads, is planned on its scene, is Chaos Toolkit's too, and says what it must show."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from chaoslib.experiment import ensure_experiment_is_valid

from experiments.cli.running import scene_inventory
from experiments.model.experiment import Experiment
from experiments.model.loading import library_names, load_experiment
from experiments.model.scenes import SCENES
from experiments.model.writing import as_mapping
from experiments.planning.inventory import Inventory, Target
from experiments.planning.planning import make_plan, require

NAMES = (
    "cpu-burn crash-loop dependency-down errors-20-percent gcs-pause hang-then-resume hang-worker injector-killed "
    "kill-breaker kill-everything-at-once kill-healer kill-monitor kill-node kill-supervisor kill-worker "
    "latency-over-timeout log-disk-full lost-reply lost-request memory-pressure"
).split()
FOLDER = Path(str(files("experiments").joinpath("library")))
SIXTY_S = 60.0


@cache
def loaded(name: str) -> Experiment:
    return load_experiment(name)


def inventory(name: str, *, ephemeral: bool = True, embedded: bool = True) -> Inventory:
    return replace(scene_inventory(loaded(name)), embedded=embedded, ephemeral=ephemeral)


def test_all_twenty_are_there() -> None:
    assert list(library_names()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_it_is_planned_on_its_scene_within_its_selection(name: str) -> None:
    asked = loaded(name)
    plan = require(make_plan(asked, inventory(name)))
    assert plan.as_bytes() == make_plan(asked, inventory(name)).as_bytes()
    kinds = {fault.target.kind for _, fault in asked.faults()}
    assert {hit.kind for fault in plan.faults for hit in fault.hits} == kinds
    for seed in range(20):
        assert require(make_plan(asked, inventory(name), seed=seed)).targets <= set(SCENES[asked.chaos.scene].targets)


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_must_show_and_what_verdict_it_comes_to(name: str) -> None:
    asked = loaded(name)
    assert len(asked.chaos.shows) > 40
    assert "expected:" in (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    expected = {"crash-loop": "deviated", "injector-killed": "aborted"}.get(name, "held")
    assert asked.chaos.expected == expected
    assert asked.hypothesis is not None
    assert len(asked.hypothesis.probes) >= 2


@pytest.mark.parametrize("name", NAMES)
def test_it_has_time_to_end_and_enough_calls_to_say_something(name: str) -> None:
    chaos = loaded(name).chaos
    longest = max(fault.after_s + (fault.lease_s or chaos.lease_s) for _, fault in loaded(name).faults())
    rounds = chaos.interleaving
    lasts_s = rounds.rounds * (rounds.baseline_s + longest + 2 * chaos.settle_s)
    assert lasts_s <= chaos.deadline_s
    if chaos.nodes == 1:
        assert lasts_s < SIXTY_S
    assert rounds.baseline_s * chaos.load.per_s >= rounds.least_samples


@pytest.mark.parametrize("name", NAMES)
def test_where_it_judges_latency_rounds_with_the_fault_are_among_rounds_without(name: str) -> None:
    chaos = loaded(name).chaos
    judges = chaos.limits.latency_shift_s is not None or {"p50_s", "p99_s"} & measures(name)
    assert chaos.interleaving.rounds >= 2 if judges else chaos.interleaving.rounds == 1
    phases = make_plan(loaded(name), inventory(name)).phases
    assert phases.count("baseline") == phases.count("fault") == chaos.interleaving.rounds


def measures(name: str) -> set[str]:
    hypothesis = loaded(name).hypothesis
    assert hypothesis is not None
    return {str(probe.provider.arguments.get("measure")) for probe in hypothesis.probes}


@pytest.mark.parametrize("name", NAMES)
def test_its_own_bounds_and_load_hold_under_chaos_toolkit_too(name: str) -> None:
    (control,) = loaded(name).controls
    assert control["provider"] == {"type": "python", "module": "experiments.control"}


@pytest.mark.parametrize("name", NAMES)
def test_chaos_toolkit_finds_it_valid(name: str) -> None:
    ensure_experiment_is_valid(yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8")))
    ensure_experiment_is_valid(as_mapping(loaded(name)))


def test_its_own_command_does_too(tmp_path: Path) -> None:
    """`chaos validate`, as a user types it; one process for one file, because each takes a second."""
    command = Path(sys.executable).with_name("chaos")
    done = subprocess.run(
        [command, "--no-version-check", "--no-log-file", "validate", FOLDER / "kill-worker.yaml"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(FOLDER.parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["kill-node", "gcs-pause"])
def test_what_belongs_to_the_cluster_is_hit_only_where_it_is_thrown_away(name: str) -> None:
    plan = make_plan(loaded(name), inventory(name, ephemeral=False))
    assert [refusal.rule for refusal in plan.refusals] == ["ephemeral"]


def test_none_runs_in_safe_mode_on_what_did_not_opt_in() -> None:
    for name in NAMES:
        plan = make_plan(loaded(name), inventory(name, embedded=False))
        assert "opt_in" in [refusal.rule for refusal in plan.refusals]


def test_a_node_is_lost_on_any_cluster_but_never_the_heads_or_the_logs() -> None:
    def told(*nodes: tuple[str, str]) -> tuple[frozenset[str], list[str]]:
        targets = tuple(Target(name=name, kind="node", node=name, group=group) for name, group in nodes)
        there = Inventory(targets=targets, embedded=True, ephemeral=True, nodes=len(targets))
        plan = make_plan(loaded("kill-node"), there)
        return plan.targets, [refusal.words for refusal in plan.refusals]

    assert told(("node/head", "head"), ("node/3fa2c1", "others"), ("node/9b", "log")) == ({"node/3fa2c1"}, [])
    _, problems = told(("node/head", "head"))
    assert problems[0] == "it needs 2 nodes, and the cluster has 1; add one: ray start --address=HEAD:PORT"
    _, (problem,) = told(("node/head", "head"), ("node/9b", "log"))
    assert problem.endswith("there are node/9b, node/head; add one: ray start --address=HEAD:PORT")
