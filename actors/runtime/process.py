"""Facts about a process of this host, read from /proc, and SIGKILL that never hits a stranger.

A pid alone is not an identity: it is reused. Pid and start time together are (Linux `proc(5)`, field 22 of `stat`).
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One life of a process.

    Attributes:
        pid: Its number.
        started_ticks: Its start time, clock ticks since boot; 0 where /proc is missing.
        witness: A thread of it that lives as long as it does and is not its first one; 0 for none.
    """

    pid: int
    started_ticks: int
    witness: int = 0


@dataclass(frozen=True, slots=True)
class ProcessEvidence:
    """What the kernel says about a process at one moment.

    Attributes:
        state: One letter of `proc(5)`: R S D T t Z X; empty when the process is gone.
        cpu_ticks: User and system time used so far, clock ticks.
        seen_at: When, monotonic seconds of the process's host.
    """

    state: str
    cpu_ticks: int
    seen_at: float


def this_process() -> ProcessIdentity:
    """The identity of the calling process."""
    return identify(os.getpid())


def identify(pid: int) -> ProcessIdentity:
    """The life that a pid has now, on this host; without a start time when it has none."""
    fields = _stat_fields(pid)
    return ProcessIdentity(pid, int(fields[19]) if fields else 0)


def age_s(process: ProcessIdentity) -> float | None:
    """How long ago that very process of this host was started, seconds; None when it is gone or /proc does not say."""
    fields = _stat_fields(process.pid)
    if fields is None or int(fields[19]) != process.started_ticks:
        return None
    try:
        uptime_s = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError):
        return None
    return max(0.0, uptime_s - process.started_ticks / os.sysconf("SC_CLK_TCK"))


def evidence(process: ProcessIdentity, now: float) -> ProcessEvidence:
    """What the kernel says about `process` at `now`; state is empty when that life of the pid has ended."""
    fields = _stat_fields(process.pid)
    if fields is None or (process.started_ticks and int(fields[19]) != process.started_ticks):
        return ProcessEvidence(state="", cpu_ticks=0, seen_at=now)
    return ProcessEvidence(state=fields[0], cpu_ticks=int(fields[11]) + int(fields[12]), seen_at=now)


def is_alive(process: ProcessIdentity) -> bool:
    """Whether that very process still exists and is not a zombie."""
    return evidence(process, now=0.0).state not in ("", "Z", "X")


def is_pending(process: ProcessIdentity, number: signal.Signals) -> bool:
    """Whether that very process was sent the signal and has not come to it yet; False when it is gone."""
    try:
        text = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    pending = (line.split()[1] for line in text.splitlines() if line.startswith(("SigPnd:", "ShdPnd:")))
    return is_alive(process) and any(int(mask, 16) >> (number - 1) & 1 for mask in pending)


def kill(process: ProcessIdentity) -> bool:
    """SIGKILL that very process; False when it is gone already or is not ours to kill."""
    return send(process, signal.SIGKILL)


def send(process: ProcessIdentity, number: signal.Signals) -> bool:
    """Send that very process a signal; False when it is gone already or is not ours to signal."""
    if not is_alive(process):
        return False
    try:
        os.kill(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def load_share() -> float:
    """How busy this host is: the load of the last minute for each CPU, 0 to 1, in tenths."""
    return round(min(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)), 1)


def parent_of(pid: int) -> int | None:
    """The process that a process is a child of; None when it is gone."""
    fields = _stat_fields(pid)
    return None if fields is None else int(fields[1])


def children_of(pid: int) -> tuple[int, ...]:
    """The processes of this host whose parent it is."""
    pids = (int(entry) for entry in os.listdir("/proc") if entry.isdecimal())
    return tuple(each for each in pids if parent_of(each) == pid)


def _stat_fields(pid: int) -> list[str] | None:
    """The fields of /proc/<pid>/stat after the command's name, which may itself hold spaces and parentheses."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()
