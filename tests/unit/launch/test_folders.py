"""What a killed program left in the temporary folder is removed by the next one, and nothing else is."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from actors.runtime.process import identify, this_process
from supervisor.launch import pid_namespace, sweep_abandoned


def folder(root: Path, name: str, owner: str | None) -> Path:
    made = root / name
    made.mkdir()
    (made / "session").mkdir()
    if owner is not None:
        (made / "owner").write_text(owner)
    return made


def test_only_the_folders_of_dead_programs_are_removed(tmp_path: Path) -> None:
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as child:
        gone = identify(child.pid)
    me, here = this_process(), pid_namespace()
    abandoned = [
        folder(tmp_path, "rsup-dead", f"{gone.pid} {gone.started_ticks} {here}"),
        folder(tmp_path, "rsup-reused", f"{os.getpid()} {me.started_ticks - 1} {here}"),
    ]
    kept = [
        folder(tmp_path, "rsup-mine", f"{me.pid} {me.started_ticks} {here}"),
        folder(tmp_path, "rsup-container", f"{gone.pid} {gone.started_ticks} pid:[1]"),
        folder(tmp_path, "rsup-unsigned", None),
        folder(tmp_path, "rsup-garbled", "who knows"),
        folder(tmp_path, "other-dead", f"{gone.pid} {gone.started_ticks} {here}"),
    ]
    sweep_abandoned(tmp_path)
    assert [path.exists() for path in abandoned] == [False, False]
    assert [path.exists() for path in kept] == [True] * 5
