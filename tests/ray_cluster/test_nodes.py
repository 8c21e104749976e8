"""A node is lost: its workers are replaced on another one, and every task ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.timeout(170)
def test_a_lost_nodes_workers_are_replaced_on_another_and_all_tasks_end(tmp_path: Path):
    answer = tmp_path / "answer.json"
    script = Path(__file__).with_name("node_loss.py")
    env = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")}
    ended = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "log.duckdb"), str(answer)],
        env=env | {"RAY_AUTH_MODE": "disabled"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=160,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    seen = json.loads(answer.read_text())
    assert seen.pop("workers_there") >= 1
    assert set(seen.pop("ends")) <= {"node_lost", "killed"}
    assert seen == {
        "both": True,
        "right": True,
        "moved": True,
        "agents": 1,
        "rows": [1020, 1020],
        "incarnation": 1,
    }
