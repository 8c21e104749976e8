"""The `supervisor` command as users start it: a process of its own, measured too while coverage is."""

from __future__ import annotations

import sys
from pathlib import Path

from coverage import Coverage

ROOT = Path(__file__).parents[1]


def supervisor_command() -> list[str]:
    """What to put before the command's arguments."""
    script = str(Path(sys.executable).parent / "supervisor")
    if Coverage.current() is None:
        return [script]
    settings = [f"--rcfile={ROOT / 'pyproject.toml'}", f"--data-file={ROOT / '.coverage'}"]
    return [sys.executable, "-m", "coverage", "run", *settings, script]
