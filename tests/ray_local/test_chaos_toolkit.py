"""Chaos Toolkit itself runs our files: their own bounds and load hold there, or nothing is done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import ray

from supervisor import Supervisor
from supervisor.link import wait_until
from tests.ray_local.conftest import PATIENCE_S
from tests.ray_local.trials import lives

pytestmark = pytest.mark.timeout(180)

TASKS = 77
_LOAD = "select count(distinct key) as keys from tasks where starts_with(key, 'ctk-')"


def chaos_run(lab: Supervisor, folder: Path, **own: Any) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """`chaos run` of the library's kill-worker, with more in our part of it; what it says, and its journal."""
    text = files("experiments").joinpath("library", "kill-worker.yaml").read_text(encoding="utf-8")
    version = "    schema_version: 1\n"
    assert version in text
    changed = {"schema_version": 1, **own}
    lines = "".join(f"    {key}: {json.dumps(value)}\n" for key, value in changed.items())
    (folder / "kill-worker.yaml").write_text(text.replace(version, lines), encoding="utf-8")
    named = {"SUPERVISOR_NAME": lab.name, "SUPERVISOR_ADDRESS": ray.get_runtime_context().gcs_address}
    ended = subprocess.run(
        [Path(sys.executable).parent / "chaos", "run", "--journal-path", "journal.json", "kill-worker.yaml"],
        cwd=folder,
        env={**os.environ, **named},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return ended, json.loads((folder / "journal.json").read_text(encoding="utf-8"))


def test_a_file_of_the_library_is_run_with_its_own_load(lab: Supervisor, tmp_path: Path) -> None:
    """The same functions; it finds the supervisor by the environment."""
    before = lives(lab)
    (had,) = lab.events.query(_LOAD)
    ended, journal = chaos_run(lab, tmp_path, load={"tasks": TASKS, "per_s": 70})
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    assert (journal["status"], journal["deviated"]) == ("completed", False)
    (told_of,) = [step["output"] for step in journal["run"]]
    assert list(told_of["evidence"].values()) == ["its process is gone from /proc"]
    (hit,) = told_of["hits"]
    assert wait_until(lambda: lives(lab)[hit] > before[hit], PATIENCE_S)
    assert wait_until(lambda: lab.events.query(_LOAD) == [{"keys": had["keys"] + TASKS}], PATIENCE_S)


GUARD = {
    "name": "many workers",
    "probe": "running",
    "arguments": {"target": {"kind": "worker", "everything": True}},
    "tolerance": [1000, 2000],
}


@pytest.mark.parametrize(
    ("own", "status", "said"),
    [
        ({"schema_version": 2}, "interrupted", "extensions[0].schema_version: 2 is newer than 1"),
        ({"safety": {"guards": [GUARD]}}, "failed", "many workers: it is out before anything is done"),
        ({"safety": {"protected": ["*"]}}, "failed", "matches only what is protected"),
    ],
    ids=["newer", "guard", "protected"],
)
def test_what_a_file_forbids_is_not_done_and_does_not_pass(
    lab: Supervisor, tmp_path: Path, own: dict[str, Any], status: str, said: str
) -> None:
    before = lives(lab)
    ended, journal = chaos_run(lab, tmp_path, **own)
    assert ended.returncode == 1, f"{ended.stdout}\n{ended.stderr}"
    assert said in f"{ended.stdout}{ended.stderr}"
    assert journal["status"] == status
    assert lives(lab) == before
    assert lab.chaos.active() == {}
