"""Of a process: its memory, its share of the processor, its open files. Of this one, or of another of this host."""

from __future__ import annotations

import os
import resource
from pathlib import Path

from pydantic import Field, PrivateAttr

from actors.health.probes.place import ReadyProbe, Said
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.process import ProcessEvidence, ProcessIdentity, age_s, evidence, identify

_MB = 1 << 20
_TICKS_S: int = os.sysconf("SC_CLK_TCK")


class _OfProcess(ReadyProbe):
    pid: int | None = Field(default=None, gt=0, description="The process; None: the one that the probe runs in.")

    @property
    def folder(self) -> Path:
        """What the kernel says of it."""
        return Path("/proc") / ("self" if self.pid is None else str(self.pid))


class MemoryProbe(_OfProcess):
    """Bad when the process holds more memory than it may."""

    at_most_mb: float = Field(gt=0, description="Resident memory, megabytes.")

    def __call__(self) -> Said:
        pages = int((self.folder / "statm").read_text(encoding="ascii").split()[1])
        held_mb = pages * os.sysconf("SC_PAGE_SIZE") / _MB
        return held_mb <= self.at_most_mb, f"{held_mb:.0f} MB of {self.at_most_mb:g} MB"


class CpuProbe(_OfProcess):
    """Bad when the process has used more of the processor than it may since the check before."""

    at_most: float = Field(gt=0, le=4096, description="Share of one core, averaged since the check before.")

    _before: tuple[ProcessIdentity, ProcessEvidence] | None = PrivateAttr(default=None)

    def __call__(self) -> Said:
        process = identify(self.pid or os.getpid())
        latest = evidence(process, SYSTEM_CLOCK.now())
        if not latest.state:
            return False, f"process {process.pid} has ended"
        known = self._before is not None and self._before[0] == process
        ticks, over_s = latest.cpu_ticks, age_s(process) or 0.0
        if known and self._before is not None:
            ticks -= self._before[1].cpu_ticks
            over_s = latest.seen_at - self._before[1].seen_at
        self._before = (process, latest)
        share = ticks / _TICKS_S / over_s if over_s > 0 else 0.0
        return share <= self.at_most, f"{share:.2f} cores of {self.at_most:g}"


class OpenFilesProbe(_OfProcess):
    """Bad when the process has more files open than it may."""

    at_most: int | None = Field(default=None, gt=0, description="Files; None: a share of what the system lets it open.")
    at_most_share: float = Field(default=0.8, gt=0, le=1, description="That share; counts only without `at_most`.")

    def __call__(self) -> Said:
        count = len(os.listdir(self.folder / "fd"))
        limit = self.at_most
        if limit is None:
            limit = max(1, int(resource.prlimit(self.pid or 0, resource.RLIMIT_NOFILE)[0] * self.at_most_share))
        return count <= limit, f"{count} open files of {limit}"
