"""The runner of an experiment is killed at every moment: nothing is left on, and its successor tells of it."""

from __future__ import annotations

import pytest
import ray
from click.testing import CliRunner
from ray.exceptions import RayError

from actors.runtime.process import ProcessIdentity, evidence
from experiments.hands.hands import Hands
from experiments.running.books import standing
from supervisor import Supervisor
from supervisor.cli.main import main
from supervisor.link import wait_until
from tests.ray_local.conftest import PATIENCE_S
from tests.ray_local.doomed import MOMENTS, Moment, doomed
from tests.ray_local.trials import brief

pytestmark = pytest.mark.timeout(120)
LEASE_S = 3.0
LAB_POOL = {"hang_timeout_s": 60.0}
"""Nobody is taken for hung while a fault is on: only its undo ends it."""

DEFAULT = ((Moment("behind", "injected"), True), (Moment("before", "injected"), False))
"""The fault is on and written down; it is on, and nobody has written so."""

CELLS = [(moment, itself) for moment in MOMENTS for itself in (True, False)]


@pytest.mark.parametrize(
    ("moment", "itself"),
    [pytest.param(*cell, marks=() if cell in DEFAULT else pytest.mark.soak) for cell in CELLS],
    ids=str,
)
def test_a_runner_killed_at_a_moment_leaves_nothing_on(lab: Supervisor, moment: Moment, itself: bool) -> None:
    """`itself`: by SIGKILL; else by `ray.kill`, which looks for a process's children, too."""
    run = f"killed-{moment}-{itself}".lower()
    workers = [
        child.location.process for child in lab.status().tree if child.key.startswith("worker/") and child.location
    ]
    runner = doomed()
    ref = runner.perform.remote(lab.name, brief("hang-worker", lease_s=LEASE_S), run, moment, itself=itself)
    hands = Hands(lab.name)
    try:
        if not itself:
            assert ray.get(runner.has_come.remote(PATIENCE_S))
            ray.kill(runner)
        with pytest.raises(RayError):
            ray.get(ref, timeout=PATIENCE_S)
        assert wait_until(lambda: not any(map(_is_stopped, workers)), LEASE_S + 1.0)
        assert wait_until(lambda: _is_cleared(lab, by_command=itself), PATIENCE_S), "as soon as its process is gone"
        assert not any(map(_is_stopped, workers))
        seen, _ = standing(hands)
        if moment == Moment("before", "planned"):
            assert run not in seen.runs
            return
        assert seen.runs[run].active == {}
        assert seen.runs[run].kept_on == {}
        assert moment == Moment("behind", "ended") or seen.runs[run].verdict == "aborted"
        if moment != Moment("behind", "planned"):  # nothing was told to the log before
            told_to_its_end(lab, run, seen.runs[run].verdict)
    finally:
        hands.close()


def told_to_its_end(lab: Supervisor, run: str, verdict: str) -> None:
    """The log has its end, too, and each fault that was begun, told injected or not, undone, and recovered or lost."""
    (row,) = lab.events.query("select state, verdict from chaos_experiments where run = ?", [run])
    assert (row["state"], row["verdict"]) == ("ended", verdict)
    faults = lab.events.query("from chaos_faults where run = ?", [run])
    assert all(fault["undone_at"] is not None for fault in faults), faults
    assert all(fault["recovered_at"] is not None or fault["loss"] for fault in faults), faults
    assert all(fault["injected_at"] is not None or "whether it was injected" in fault["loss"] for fault in faults), (
        faults
    )


def _is_cleared(lab: Supervisor, *, by_command: bool) -> bool:
    """By who calls it in a program, or on the command line: either tells the log."""
    if by_command:
        done = CliRunner().invoke(main, ["chaos", "clear", "--name", lab.name])
        assert done.exit_code == 0, done.output
    else:
        lab.chaos.clear()
    return lab.chaos.active() == {}


def _is_stopped(worker: ProcessIdentity) -> bool:
    return evidence(worker, 0.0).state in ("T", "t")
