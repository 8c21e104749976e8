"""Experiments that run again and again: under many seeds, and at their times."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from actors.runtime.clock import SYSTEM_CLOCK
from experiments.errors import PlanRefusedError
from experiments.model.writing import dump_experiment
from experiments.report.run import RunReport
from supervisor import Supervisor
from supervisor.cli.main import main
from tests.ray_local.trials import brief, lives

pytestmark = pytest.mark.timeout(180)
MINUTE_US = 60_000_000


def test_a_campaign_runs_its_seeds_and_names_the_worst_first(lab: Supervisor) -> None:
    """Its own seed first; each run has its report."""
    reports: list[RunReport] = []
    asked = brief("kill-worker")
    found = lab.chaos.campaign(asked, seeds=3, on_run=reports.append)
    assert reports[0].plan.seed == asked.chaos.seed
    assert len({report.plan.seed for report in reports}) == 3
    assert (found.counts, found.exit_code) == ({"held": 3}, 0)
    assert {run.seed: run.run for run in found.runs} == {report.plan.seed: report.run for report in reports}
    assert found.worst == min(
        found.runs, key=lambda run: (-1.0 if run.score is None else run.score, -(run.recover_s or 0))
    )
    for report in reports:
        again = lab.chaos.report(report.run)
        assert again.plan.digest() == report.plan.digest()


def test_what_a_campaign_is_refused_for_has_its_line(lab: Supervisor, tmp_path: Path) -> None:
    file = tmp_path / "nobody.yaml"
    file.write_text(dump_experiment(brief("kill-worker")).replace("count: 1", "name: nobody"), encoding="utf-8")
    before = lives(lab)
    with pytest.raises(PlanRefusedError, match=r"line \d+, method\[0\]: the selector .* matches nothing"):
        lab.chaos.campaign(file, seeds=2)
    assert lives(lab) == before


def test_a_schedule_runs_what_is_due_and_remembers_it(lab: Supervisor, tmp_path: Path) -> None:
    """Two times have come: the last is run, and of the other it is told why not."""
    experiment, schedules = tmp_path / "brief.yaml", tmp_path / "schedules.yaml"
    experiment.write_text(dump_experiment(brief("kill-worker")), encoding="utf-8")
    schedules.write_text(
        f"schedules:\n  - {{name: often, experiment: {experiment}, cron: '* * * * *', history: 1}}\n", encoding="utf-8"
    )
    this_minute_us = SYSTEM_CLOCK.wall_us() // MINUTE_US * MINUTE_US
    reports = tmp_path / "reports"
    reports.mkdir()
    past = {"due_us": 1, "run": "long-ago", "verdict": "held"}
    kept = {"often": {"seen_us": this_minute_us - 2 * MINUTE_US, "history": [past]}}
    (reports / "schedules.json").write_text(json.dumps(kept), encoding="utf-8")
    named = ["--name", lab.name, "--reports", str(reports)]
    done = CliRunner().invoke(main, ["chaos", "schedule", str(schedules), "--once", *named])
    assert done.exit_code == 0, done.output
    assert "often: skipped, a later time came" in done.output
    told = CliRunner().invoke(main, ["chaos", "history", str(schedules), "--reports", str(reports), "--json"])
    (run,) = json.loads(told.output)["often"]["runs"]
    assert run["verdict"] == "held"
    assert f"often: {run['run']} held" in done.output
    assert run["due_us"] >= this_minute_us
    assert (reports / run["run"] / "report.html").exists()
