"""The program in the guide to degradation, run as it stands there, and what the guide says of settings and names."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import supervisor
from actors.degradation.settings import BudgetSettings, DegradationSettings
from tests import guide

TEXT = guide.DEGRADATION_GUIDE.read_text(encoding="utf-8")


@pytest.mark.soak
def test_the_program_does_what_the_guide_says(tmp_path: Path):
    script = tmp_path / "guide.py"
    script.write_text(guide.program(guide.DEGRADATION_GUIDE), encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if not name.startswith("RAY_")},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    printed = [line for line in ended.stdout.splitlines() if line and "(raylet)" not in line]
    assert printed == guide.printed(guide.DEGRADATION_GUIDE)


def test_it_names_what_there_is():
    names = re.findall(r"^from supervisor import (.+)$", guide.program(guide.DEGRADATION_GUIDE), re.MULTILINE)
    assert {name.strip() for line in names for name in line.split(",")} <= set(supervisor.__all__)


def test_its_settings_are_those_of_the_code():
    fields = DegradationSettings.model_fields
    assert {name: eval(default) for name, default in guide.settings(guide.DEGRADATION_GUIDE)} == {
        name: getattr(DegradationSettings(), name) for name in fields if name != "budget"
    }
    for name, field in BudgetSettings.model_fields.items():
        assert re.search(rf"`{name}` \({field.default:g}\b", TEXT), name
