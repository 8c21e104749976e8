"""Processes of a test's own, known by a mark in their environment that all their children inherit."""

from __future__ import annotations

import os
import secrets
import signal
from contextlib import suppress
from pathlib import Path

_NAME = "SUPERVISOR_TEST_CLUSTER"


def new_mark() -> str:
    """A variable that nobody else has, as NAME=value."""
    return f"{_NAME}={secrets.token_hex(8)}"


def environment(**own: str) -> dict[str, str]:
    """This process's, without what an embedded Ray of another test has left in it."""
    return {key: value for key, value in os.environ.items() if not key.startswith("RAY_")} | own


def processes_of(mark: str) -> list[int]:
    """Every process that has inherited `mark` in its environment: the cluster that this module started."""
    found: list[int] = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if mark.encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found


def end_all(mark: str) -> None:
    for pid in processes_of(mark):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
