"""What the kernel of this node tells of a process and of the machine: the proof that a fault acts comes from here."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from pathlib import Path

from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.process import ProcessIdentity, children_of, evidence, is_alive, this_process
from experiments.faults.proof import Sight
from experiments.faults.undo import limit_of
from experiments.planning.preflight import Machine

_MIB = 1 << 20
_KIB_IN_MIB = 1024
_IDLE, _IO_WAIT = 3, 4
"""Places in the first line of /proc/stat, see `proc(5)`."""


class Processors:
    """How idle the processors were since the last look."""

    def __init__(self) -> None:
        self._before = _ticks()

    def idle_share(self) -> float | None:
        """The share of their time since the last call; None where nobody tells, or no time has passed."""
        now, before = _ticks(), self._before
        if now is None or before is None or now[0] <= before[0]:
            return None
        self._before = now
        return (now[1] - before[1]) / (now[0] - before[0])


class Burning:
    """How much of the processors a process of ours and its children had since the last look.

    Args:
        burner: The process.
    """

    def __init__(self, burner: ProcessIdentity) -> None:
        self._burner = burner
        self._before = self._look()

    def share(self) -> float | None:
        """The share of all processors' time since the last call; None where nobody tells, or no time has passed."""
        now, before = self._look(), self._before
        if now is None or before is None or now[0] <= before[0]:
            return None
        self._before = now
        return (now[1] - before[1]) / (now[0] - before[0])

    def _look(self) -> tuple[int, int] | None:
        """All of the processors' time so far and what of it these had, clock ticks."""
        everything = _ticks()
        if everything is None:
            return None
        pid = self._burner.pid
        family = [ProcessIdentity(child, 0) for child in children_of(pid)]
        return everything[0], sum(evidence(each, 0.0).cpu_ticks for each in (self._burner, *family))


def _ticks() -> tuple[int, int] | None:
    """All of the processors' time so far and what of it was idle, clock ticks."""
    try:
        words = Path("/proc/stat").read_text("ascii").partition("\n")[0].split()[1:9]
    except OSError:
        return None
    fields = [int(word) for word in words]
    return sum(fields), fields[_IDLE] + fields[_IO_WAIT]


def sight_of(
    process: ProcessIdentity | None,
    *,
    folder: str = "",
    idle: float | None = None,
    taken: float | None = None,
    holder: tuple[ProcessIdentity, float] | None = None,
) -> Sight:
    """What is to be seen at this moment.

    Args:
        process: The target's; None: it has none of its own.
        folder: The log's folder; nothing: its disk is not looked at.
        idle: How idle the processors were of late.
        taken: How much of them the fault's own processes had.
        holder: The fault's own process that holds memory, and how much it is to hold, MiB.
    """
    seen = None if process is None else evidence(process, SYSTEM_CLOCK.now())
    return Sight(
        alive=None if process is None else is_alive(process),
        state=None if seen is None else seen.state,
        cpu_idle=idle,
        cpu_taken=taken,
        memory_taken_mb=None if holder is None else memory_of_mb(holder[0]),
        memory_asked_mb=None if holder is None else holder[1],
        disk_free_mb=_writable_mb(process, folder),
        files_free=None if process is None else files_free(process),
    )


def files_free(process: ProcessIdentity) -> int | None:
    """How many more files that process may open."""
    allowed = limit_of("files", process)
    if allowed is None:
        return None
    try:
        return allowed - len(os.listdir(f"/proc/{process.pid}/fd"))
    except OSError:
        return None


def files_open(process: ProcessIdentity) -> int:
    """One more than the highest number of its open files: below it, it can open none.

    Raises:
        OSError: It is gone, or not ours.
    """
    return max((int(name) for name in os.listdir(f"/proc/{process.pid}/fd")), default=0) + 1


def memory_of_mb(process: ProcessIdentity) -> float | None:
    """Memory of its own that this very process has, MiB, without what it shares with others; None: it is gone."""
    try:
        lines = Path(f"/proc/{process.pid}/status").read_text("ascii", "replace").splitlines()
    except OSError:
        return None
    found = next((line for line in lines if line.startswith("RssAnon:")), None)
    return None if found is None or not is_alive(process) else int(found.split()[1]) / _KIB_IN_MIB


def memory_free_mb() -> float | None:
    """Memory that can be had without swapping, MiB; that of the container where it has less than the machine."""
    found = [each for each in (_available_mb(), _container_mb()) if each is not None]
    return min(found, default=None)


def _available_mb() -> float | None:
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
    except OSError:
        return None
    found = next((line for line in lines if line.startswith("MemAvailable:")), None)
    return None if found is None else int(found.split()[1]) / _KIB_IN_MIB


def _container_mb() -> float | None:
    folder = Path("/sys/fs/cgroup")
    try:
        most, used = ((folder / name).read_text("ascii").strip() for name in ("memory.max", "memory.current"))
        return None if most == "max" else (int(most) - int(used)) / _MIB
    except (OSError, ValueError):
        return None


def disk_free_mb(folder: str) -> float | None:
    """Free in a folder, MiB."""
    try:
        return shutil.disk_usage(folder).free / _MIB if folder else None
    except OSError:
        return None


def shares_its_disk(folder: str) -> bool:
    """Whether others than the log write to its disk, so that filling it would hit them."""
    here = Path(folder).stat().st_dev
    return any(Path(other).stat().st_dev == here for other in ("/", tempfile.gettempdir(), Path.home()))


def longest_file(folder: str) -> int:
    """The size of the longest write-ahead log there, octets: what is beyond it is new."""
    return max((each.stat().st_size for each in Path(folder).glob("*.wal")), default=0)


def _writable_mb(process: ProcessIdentity | None, folder: str) -> float | None:
    """What that process can write there, MiB: what is free, or what its own limit leaves."""
    free_mb = disk_free_mb(folder)
    limit = None if process is None or not folder else limit_of("size", process)
    if free_mb is None or limit is None or limit < 0:
        return free_mb
    return min(free_mb, max(0.0, (limit - longest_file(folder)) / _MIB))


def machine_here(name: str, *, log_folder: str, rpc_faults: bool) -> Machine:
    """What can be done to this node."""
    return Machine(
        name=name,
        system=platform.system(),
        processes=Path("/proc/self/stat").exists(),
        cores=len(os.sched_getaffinity(0)),
        memory_free_mb=memory_free_mb(),
        log_disk_free_mb=disk_free_mb(log_folder),
        files_max=limit_of("files", this_process()),
        rpc_faults=rpc_faults,
    )
