"""Of the host: room on a disk, free memory, load."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from pydantic import Field

from actors.health.probes.place import ReadyProbe, Said

_MB = 1 << 20
_KB = 1 << 10
_CGROUP = Path("/sys/fs/cgroup")


class DiskProbe(ReadyProbe):
    """Bad when a disk has too little room left."""

    path: str = Field(min_length=1, description="Any file or folder on that disk.")
    free_share: float = Field(default=0.1, ge=0, lt=1, description="The part of it that must be free.")
    free_mb: float = Field(default=0.0, ge=0, description="And so much must be free, megabytes.")

    def __call__(self) -> Said:
        usage = shutil.disk_usage(self.path)
        wanted = max(self.free_share * usage.total, self.free_mb * _MB)
        return usage.free >= wanted, f"{usage.free / _MB:.0f} MB free at {self.path}, {wanted / _MB:.0f} MB wanted"


class ResourcesProbe(ReadyProbe):
    """Bad when the node has too little memory left, or too much to do."""

    free_memory_share: float = Field(default=0.05, ge=0, lt=1, description="The part of its memory that must be free.")
    load_per_cpu: float | None = Field(
        default=None, gt=0, description="The load of the last minute for each CPU that it may have; None: any."
    )

    def __call__(self) -> Said:
        free, total = _memory()
        load = os.getloadavg()[0] / (os.cpu_count() or 1)
        is_well = free >= self.free_memory_share * total and (self.load_per_cpu is None or load <= self.load_per_cpu)
        return is_well, f"{free / _MB:.0f} of {total / _MB:.0f} MB free, load {load:.2f} per CPU"


def _memory() -> tuple[float, float]:
    """What is free and what there is, bytes: of the host or of the container, whichever is tighter."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    found = {line.split(":")[0]: float(line.split()[1]) * _KB for line in lines if line}
    free, total = found["MemAvailable"], found["MemTotal"]
    try:
        limit = float((_CGROUP / "memory.max").read_text(encoding="ascii"))
        held = float((_CGROUP / "memory.current").read_text(encoding="ascii"))
    except (OSError, ValueError):  # no container, or one without a limit
        return free, total
    return (min(free, limit - held), limit) if limit < total else (free, total)
