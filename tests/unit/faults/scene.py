"""Real processes to hit, and real injectors that are killed."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from actors.runtime.process import ProcessIdentity, evidence, identify

PATIENCE_S = 20.0


def until(holds: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.005)


@contextmanager
def sleeper() -> Generator[ProcessIdentity]:
    """A process that does nothing; it is gone afterwards."""
    process = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
    try:
        yield identify(process.pid)
    finally:
        process.kill()
        process.wait()


def state(process: ProcessIdentity) -> str:
    return evidence(process, 0.0).state


def is_stopped(process: ProcessIdentity) -> bool:
    return state(process) in ("T", "t")
