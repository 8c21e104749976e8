"""What users get wrong about experiments, and only a cluster can tell."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import ray

from experiments.errors import PlanRefusedError
from supervisor import Supervisor
from tests.command import supervisor_command
from tests.ray_local.conftest import PATIENCE_S, unique_name

pytestmark = pytest.mark.timeout(120)


def test_where_the_load_has_no_pool_it_is_told(ray_session: object, tmp_path: Path) -> None:
    config = {"pools": {"mine": {"size": 2}}, "log": {"path": str(tmp_path / "events.duckdb")}}
    made = Supervisor.start(config, name=unique_name())
    try:
        for scene in (False, True):
            with pytest.raises(PlanRefusedError, match="run in the pool 'default', and there is none; there are mine"):
                made.chaos.run("kill-worker", scene=scene)
    finally:
        made.shutdown()


@pytest.mark.parametrize("command", [("halt",), ("halt", "--resume"), ("stop", "kill-worker-3fa2c1"), ("clear",)])
def test_a_supervisor_that_is_not_there_is_told(shared: Supervisor, command: tuple[str, ...]) -> None:
    address = ray.get_runtime_context().gcs_address
    asked = [*supervisor_command(), "chaos", *command, "--name", f"{shared.name}x", "--address", address]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 1
    assert re.search(rf"not on this cluster \(running there: .*\b{shared.name}[,)]", done.stderr), done.stderr
    assert "halted: nothing is on" not in done.stdout
