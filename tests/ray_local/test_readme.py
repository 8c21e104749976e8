"""The program in the README, run as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def test_the_first_program_does_what_the_readme_says(tmp_path: Path):
    (program,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    script = tmp_path / "first.py"
    script.write_text(program, encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if not name.startswith("RAY_")},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    lines = [line for line in ended.stdout.splitlines() if line]
    assert lines[:3] == ["1024", "['A', 'B']", "charged 30, idempotency key order-7"]
    assert "'name': '__main__.charge', 'state': 'done', 'attempts': 1" in lines[3]
    assert lines[4] == "1 in the cart for eu"
    assert (tmp_path / "supervisor.duckdb").exists()
