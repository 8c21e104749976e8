"""The program in the guide to chaos experiments, run as it stands there, and what the guide says of settings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from supervisor.chaos_settings import ChaosSettings
from tests import guide


@pytest.mark.soak
def test_the_program_does_what_the_guide_says(tmp_path: Path) -> None:
    script = tmp_path / "guide.py"
    script.write_text(guide.program(guide.CHAOS_GUIDE), encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if not name.startswith("RAY_")},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    printed = [line for line in ended.stdout.splitlines() if line and "(raylet)" not in line]
    assert printed == guide.printed(guide.CHAOS_GUIDE)


def test_its_settings_are_those_of_the_code() -> None:
    fields = ChaosSettings.model_fields
    told = {name: eval(text) for name, text in guide.settings(guide.CHAOS_GUIDE) if name in fields}
    assert told == {name: getattr(ChaosSettings(), name) for name in ChaosSettings.model_fields}
