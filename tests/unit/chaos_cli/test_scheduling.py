"""`supervisor chaos schedule` is ended by Ctrl-C or SIGTERM: that is how it ends, unless a run was aborted by it."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from experiments.cli import scheduling
from experiments.report.run import INTERRUPTED, TERMINATED, RunReport
from tests.unit.report.scene import report

MINUTE_US = 60_000_000


class Minutes:
    """A clock that goes on by a minute at each look."""

    def __init__(self) -> None:
        self.at_us = 0

    def wall_us(self) -> int:
        self.at_us += MINUTE_US
        return self.at_us


class Interrupted:
    """Stands in for `sup.chaos`: each run is interrupted."""

    def run(self, _: str) -> RunReport:
        whole = report("run-1")
        return replace(whole, verdict=replace(whole.verdict, kind="aborted", reasons=(INTERRUPTED,)))


@pytest.fixture
def schedule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(scheduling, "attached", lambda *_: nullcontext())
    monkeypatch.setattr(scheduling, "SYSTEM_CLOCK", Minutes())
    monkeypatch.setattr("experiments.running.timetable.ChaosHandle", lambda *_, **__: Interrupted())

    def run(cron: str) -> Result:
        file = tmp_path / "schedules.yaml"
        file.write_text(f"schedules:\n  - {{name: often, experiment: kill-worker, cron: '{cron}'}}\n")
        return CliRunner().invoke(scheduling.schedule, [str(file), "--reports", str(tmp_path / "reports")])

    return run


def test_it_ends_in_order(schedule, monkeypatch: pytest.MonkeyPatch) -> None:
    def terminate(_: float) -> None:
        raise KeyboardInterrupt(TERMINATED)

    monkeypatch.setattr(scheduling, "sleep", terminate)
    done = schedule("0 0 1 1 *")
    assert done.output == f"ended: {TERMINATED}; started again, it goes on from here\n"
    assert done.exit_code == 0


def test_a_run_that_is_aborted_by_it_is_told(schedule, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduling, "sleep", lambda _: None)
    done = schedule("* * * * *")
    assert done.output.splitlines() == [
        "often: run-1 aborted",
        f"ended: {INTERRUPTED}; started again, it goes on from here",
    ]
    assert done.exit_code == 12
