"""Filling a disk by one file of ours, whose removal gives all back."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_MIB = 1 << 20
_STEP = 64 * _MIB


def fill(path: Path, share: float, leave_mb: float) -> float:
    """Take a share of what is free, and leave at least so much; how much was taken, MiB.

    Raises:
        OSError: The file cannot be made.
    """
    free = shutil.disk_usage(path.parent).free
    wanted = int(min(free * share, free - leave_mb * _MIB))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        taken, step = 0, _STEP
        while taken < wanted and step:
            size = min(step, wanted - taken)
            try:
                os.posix_fallocate(descriptor, taken, size)
                taken += size
            except OSError:
                step //= 2  # others write, too: what is left is less than it was
        return taken / _MIB
    finally:
        os.close(descriptor)
