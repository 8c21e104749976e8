"""What both sides run."""

from __future__ import annotations

import os
import time
from pathlib import Path


def noop(number: int) -> int:
    """The smallest task that still has an argument and a result."""
    return number


def hold(marker: str) -> int:
    """On its first run, say where it runs and wait to be killed; on its next one, a no-op."""
    path = Path(marker)
    if path.exists():
        return os.getpid()
    partial = path.with_suffix(".part")
    partial.write_text(str(os.getpid()), encoding="utf-8")
    partial.rename(path)
    time.sleep(120)
    return os.getpid()


def wait_for_marker(marker: str, timeout_s: float = 60.0) -> int:
    """The pid that `hold` wrote, as soon as it is there."""
    path = Path(marker)
    until = time.perf_counter() + timeout_s
    while not path.exists():
        if time.perf_counter() > until:
            message = f"no task started within {timeout_s:g} s (marker {marker})"
            raise TimeoutError(message)
        time.sleep(0.001)
    return int(path.read_text(encoding="utf-8"))


class Counter:
    """A user's class, as it is: it counts, and knows its process."""

    def __init__(self) -> None:
        self.count = 0

    def add(self) -> int:
        """Count on; returns the count."""
        self.count += 1
        return self.count

    def pid(self) -> int:
        """The process that it lives in."""
        return os.getpid()
