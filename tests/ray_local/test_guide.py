"""The programs in the guides that need a cluster, run as they stand there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import guide

PATIENCE_S = 240
"""It starts some twenty processes one after the other; on a busy machine each takes seconds."""


@pytest.mark.timeout(PATIENCE_S + 30)
@pytest.mark.parametrize(
    "page",
    [guide.GUIDE, *(pytest.param(page, marks=pytest.mark.soak) for page in (guide.HEALTH_GUIDE, guide.HEALING_GUIDE))],
    ids=lambda page: page.stem,
)
def test_the_program_does_what_the_guide_says(page: Path, tmp_path: Path):
    for name, text in guide.files().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    script = tmp_path / "guide.py"
    script.write_text(guide.program(page), encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if not name.startswith("RAY_")},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    # Ray prints what it wants to say to whoever started it between the program's own lines.
    assert [line for line in ended.stdout.splitlines() if line and "(raylet)" not in line] == guide.printed(page)
