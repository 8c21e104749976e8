"""A user's own strategy, of an installed package: found by its entry point, in the healers' processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from actors.healer.running import STRATEGIES

STRATEGY = """
from pathlib import Path

def mend(context, path, word):
    assert (context.component, context.failure, context.severity) == ("site", "dirty", "high"), context
    assert context.timeout_s == 5.0 and not context.cancelled.is_set()
    Path(path).write_text(word)
    return True

def give_up(context):
    return False
"""

ENTRY_POINTS = "[ray_supervisor.strategies]\nmend = mine:mend\ngive-up = mine:give_up\n"

PROGRAM = """
import sys, time
from pathlib import Path
from supervisor import ConfigError, Supervisor, UserStrategy

folder = Path(sys.argv[1])
mended = folder / "mended"
config = {
    "pools": {"default": {"size": 1, "standbys": 0}},
    "log": {"path": str(folder / "log.duckdb")},
    "healer": {"verify_every_s": 0.1, "verify_s": 5.0},
    "warm_processes": 0,
    "standby": False,
}

def is_well():
    return mended.exists()

def over(component):
    until = time.monotonic() + 60
    while time.monotonic() < until:
        for each in sup.healer.incidents():
            if each.component == component and each.is_over:
                return each
        time.sleep(0.05)

with Supervisor.start(config) as sup:
    sup.health.register("site", is_well, interval_s=0.1, timeout_s=1.0, failures=1)
    own = UserStrategy(name="mend", options={"path": str(mended), "word": "clean"}, timeout_s=5.0)
    try:
        sup.healer.plan("site", [UserStrategy(name="give-up"), UserStrategy(name="missing"), own], failure="dirty")
    except ConfigError as refused:
        print(refused)
    sup.healer.plan("site", [UserStrategy(name="give-up"), own], failure="dirty")
    sup.healer.report("site", failure="dirty", severity="high")
    incident = over("site")
    for entry in incident.history:
        if entry.outcome:
            print(entry.what, entry.outcome, entry.detail)
    print(incident.phase, incident.verified, mended.read_text())
"""


@pytest.mark.soak
def test_it_is_found_called_with_what_it_needs_and_believed_only_by_the_probe(tmp_path: Path):
    (tmp_path / "mine.py").write_text(STRATEGY)
    package = tmp_path / "mine-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text(ENTRY_POINTS)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    environment["PYTHONPATH"] = os.pathsep.join((str(tmp_path), environment.get("PYTHONPATH", "")))
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        env=environment | {"RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == [
        "plan('site'): strategies[1]: no installed package has the entry point 'missing' in the group "
        f"{STRATEGIES}; there are give-up, mend",
        "give-up: user failed it returned False",
        "mend: user succeeded ",
        "resolved True clean",
    ]
