"""A process that writes checkpoints is SIGKILLed again and again: the newest good one is always found.

Whatever was acknowledged is there or superseded by a later one, no state is torn, and what a kill leaves behind goes.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from random import Random

from actors.checkpoint.folder import FolderStore
from actors.checkpoint.rules import KEEP

WRITER = Path(__file__).with_name("checkpoint_writer.py")
LIVES = 15
SEED = 20251125

_spec = spec_from_file_location("checkpoint_writer", WRITER)
assert _spec is not None
assert _spec.loader is not None
checkpoint_writer = module_from_spec(_spec)
_spec.loader.exec_module(checkpoint_writer)


def kill_after(url: str, incarnation: int, count: int, pause_s: float) -> int:
    """Let a writer acknowledge `count` checkpoints, kill it somewhat later; the last number it acknowledged."""
    command = [sys.executable, str(WRITER), url, str(incarnation)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        last = 0
        for _ in range(count):
            last = int(writer.stdout.readline())
        threading.Event().wait(pause_s)  # so that the kill falls anywhere in a write, and not just behind an answer
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read().splitlines(keepends=True)
        acknowledged = [int(line) for line in rest if line.endswith("\n")]
    return acknowledged[-1] if acknowledged else last


def test_the_newest_acknowledged_checkpoint_survives_every_kill(tmp_path: Path):
    rng, store = Random(SEED), FolderStore(str(tmp_path))
    for incarnation in range(1, LIVES + 1):
        last = kill_after(str(tmp_path), incarnation, rng.randint(1, 8), rng.uniform(0, 0.02))
        found = store.latest(checkpoint_writer.KEY, class_name=checkpoint_writer.CLASS, state_version=1)
        assert found.skipped == (), f"seed {SEED}, life {incarnation}"
        assert found.checkpoint is not None
        told = checkpoint_writer.unseal(found.checkpoint.state)
        assert told == (found.checkpoint.incarnation, found.checkpoint.number)
        assert told[0] == incarnation
        assert told[1] >= last, f"seed {SEED}: life {incarnation} acknowledged {last}"
    left = list((tmp_path / "child~2fshop.cart").iterdir())
    assert len([file for file in left if file.suffix == ".ckpt"]) <= KEEP + 1  # killed between renaming and pruning
    assert {file.name.split("-")[1] for file in left if file.suffix != ".ckpt"} == {f"{LIVES:08d}"}
