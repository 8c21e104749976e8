"""The runner of an experiment is killed at each step: nothing is left on, and its successor says what became of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import ray
from ray.exceptions import RayError

from actors.runtime.process import ProcessIdentity, evidence
from experiments.hands.hands import Hands
from experiments.ledger.entry import STEPS
from experiments.running.books import standing
from supervisor import Supervisor, launch
from supervisor.link import wait_until
from tests.ray_local.conftest import PATIENCE_S, configuration, unique_name
from tests.ray_local.doomed import doomed
from tests.ray_local.trials import CHAOS, POOL, brief

pytestmark = pytest.mark.timeout(120)
LEASE_S = 4.0
DEFAULT = ("injected", True)
CELLS = [(step, itself) for step in STEPS if step not in ("planned", "kept_on") for itself in (True, False)]


@pytest.fixture(scope="module")
def lab(ray_session: launch.Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervisor]:
    name, folder = unique_name(), tmp_path_factory.mktemp("lab")
    # Nobody is taken for hung while a fault is on: only its undo ends it.
    pool = POOL | {"hang_timeout_s": 60.0}
    made = Supervisor.start(configuration(folder / "events.duckdb", {"pool": pool, "chaos": CHAOS}), name=name)
    yield made
    made.shutdown()


@pytest.mark.parametrize(
    ("step", "itself"),
    [pytest.param(*cell, marks=() if cell == DEFAULT else pytest.mark.soak) for cell in CELLS],
)
def test_a_runner_killed_at_a_step_leaves_nothing_on(lab: Supervisor, step: str, itself: bool) -> None:
    """`itself`: by SIGKILL; else by `ray.kill`, which looks for a process's children, too."""
    run = f"killed-at-{step}-{itself}".lower()
    workers = [
        child.location.process for child in lab.status().tree if child.key.startswith("worker/") and child.location
    ]
    runner = doomed()
    ref = runner.perform.remote(lab.name, brief("hang-worker", lease_s=LEASE_S), run, step, itself=itself)
    hands = Hands(lab.name)
    try:
        if not itself:
            assert wait_until(lambda: _has(hands, run, step), PATIENCE_S)
            ray.kill(runner)
        with pytest.raises(RayError):
            ray.get(ref, timeout=PATIENCE_S)
        assert wait_until(lambda: not any(map(_is_stopped, workers)), LEASE_S + 1.0)
        lab.chaos.clear()
        seen, _ = standing(hands)
        assert seen.runs[run].active == {}
        assert seen.runs[run].verdict == ("aborted" if step != "ended" else seen.runs[run].verdict)
        assert lab.chaos.active() == {}
        assert not any(map(_is_stopped, workers))
        told_to_its_end(lab, run, seen.runs[run].verdict)
    finally:
        hands.close()


def told_to_its_end(lab: Supervisor, run: str, verdict: str) -> None:
    """The log has its end, too, and each fault that was injected undone, and recovered or lost."""
    (row,) = lab.events.query("select state, verdict from chaos_experiments where run = ?", [run])
    assert (row["state"], row["verdict"]) == ("ended", verdict)
    faults = lab.events.query("from chaos_faults where run = ? and injected_at is not null", [run])
    assert all(fault["undone_at"] is not None for fault in faults), faults
    assert all(fault["recovered_at"] is not None or fault["loss"] for fault in faults), faults


def _has(hands: Hands, run: str, step: str) -> bool:
    return any(entry.step == step for entry in hands.own.entries(run))


def _is_stopped(worker: ProcessIdentity) -> bool:
    return evidence(worker, 0.0).state in ("T", "t")
