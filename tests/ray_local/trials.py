"""Experiments of the library, shortened for tests; and a supervisor that they may be run on."""

from __future__ import annotations

from typing import Any

import ray

from actors.runtime import process
from actors.runtime.process import ProcessIdentity
from experiments.model.experiment import Experiment
from experiments.model.loading import load_experiment
from experiments.report.run import RunReport
from supervisor import Supervisor

CHAOS = {"safe_mode": False, "ephemeral": True, "experiments_max": 2}
POOL = {"size": 4, "standbys": 1, "intensity": 1000, "heartbeat_s": 0.2, "hang_timeout_s": 1.0}


def brief(name: str, *, lease_s: float = 2.0, **changes: Any) -> Experiment:
    """An experiment with short rounds; faults that have a lease of their own keep it."""
    whole = load_experiment(name)
    fields = whole.chaos.model_dump() | {
        "lease_s": lease_s,
        "settle_s": 0.5,
        "during_every_s": 0.5,
        "interleaving": {"baseline_s": 0.7},
        "load": {**whole.chaos.load.model_dump(), "tasks": 140, "per_s": 70, "work_s": 0.005},
    }
    return whole.model_copy(update={"chaos": type(whole.chaos).parse(fields | changes, source=name)})


def lives(sup: Supervisor) -> dict[str, int]:
    """Which life of each child runs."""
    return {child.key: int(child.name.rpartition("#")[2]) for child in sup.status().tree}


def told(report: RunReport) -> str:
    """A verdict with all that it rests on, for a test that fails."""
    faults = "\n".join(map(str, report.seen.faults))
    events = "\n".join(map(str, report.events))
    return f"{report.verdict}\n{faults}\n{events}"


class RunnerApart:
    """Carries an experiment out in a process of its own, which may be stopped."""

    def perform(self, supervisor: str, experiment: Experiment, run: str) -> str:
        """Its verdict."""
        return Supervisor.of_process(supervisor).chaos.run(experiment, scene=False, name=run).verdict.kind

    def process(self) -> ProcessIdentity:
        """Whom to stop."""
        return process.this_process()


def runner_apart() -> Any:
    """A handle of one."""
    wrap: Any = ray.remote(RunnerApart)
    return wrap.options(num_cpus=0, max_restarts=0, max_concurrency=2).remote()
