"""Leaders are lost on a cluster of two nodes: what they led goes on, and every task ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.soak  # two minutes on two nodes; `test_leader_failover.py` has the same by default


def run_apart(script: str, folder: Path) -> dict[str, Any]:
    """Run a script in a process of its own, for it makes a cluster; returns what it saw."""
    answer = folder / "answer.json"
    env = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")}
    ended = subprocess.run(
        [sys.executable, str(Path(__file__).with_name(script)), str(folder / "log.duckdb"), str(answer)],
        env=env | {"RAY_AUTH_MODE": "disabled", "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=160,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(answer.read_text())


@pytest.mark.timeout(170)
def test_a_leader_that_is_killed_stopped_or_lost_with_its_node_is_succeeded_by_its_standby_on_another(tmp_path: Path):
    seen = run_apart("leader_loss.py", tmp_path)
    taken_over = {"elsewhere": True, "succeeded": True, "fenced": True, "right": True, "adopted": True}
    assert seen["killed"] == taken_over
    assert seen["stopped"] == taken_over
    assert seen["node"] == {"succeeded": True, "whole": True, "right": True, "gone": True}
