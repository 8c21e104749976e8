"""How a fault is undone, as data: it can be written down, and carried out by a process that knows nothing else.

Each may be carried out again at any time, and then changes nothing: at least once is enough. It imports next to
nothing, because a watchdog that starts slowly delays the fault that it guards.
"""

from __future__ import annotations

import os
import resource
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.process import ProcessIdentity, evidence, is_alive, is_pending, kill, send
from experiments.model.lasting import LASTS

Kind = Literal["nothing", "resume", "kill", "remove", "files", "size", "outlast"]

Limited = Literal["files", "size"]

_LIMITS = {"files": resource.RLIMIT_NOFILE, "size": resource.RLIMIT_FSIZE}

BALLAST = "chaos-"
"""What a file's name begins with that an undo may remove: a damaged order never takes a user's file."""

_STOPPED = ("T", "t")


@dataclass(frozen=True, slots=True)
class Undo:
    """One step back.

    Attributes:
        kind: nothing: the fault ends by itself. resume: SIGCONT. kill: SIGKILL a process that we started to use
            something up. remove: a file of ours. files, size: let a process
            open as many files, or write files as large, as before. outlast: nobody can take it back; it ends with that
            process, a raylet.
        pid: The process.
        started_ticks: Its start time, so that a later process with its number is left alone.
        path: The file.
        limit: How many files it may open, or how large they may be, octets; -1: there is no limit.
    """

    kind: Kind = "nothing"
    pid: int = 0
    started_ticks: int = 0
    path: str = ""
    limit: int = 0

    def __post_init__(self) -> None:
        if self.kind == "remove" and not Path(self.path).name.startswith(BALLAST):
            raise ValueError(f"{self.path!r} is not ours to remove: a file of ours is named {BALLAST}...")

    def as_data(self) -> dict[str, Any]:
        """As it is written down."""
        fields = {"kind": self.kind, "pid": self.pid, "started_ticks": self.started_ticks, "path": self.path}
        return fields | ({"limit": self.limit} if self.limit else {})

    @classmethod
    def from_data(cls, data: object) -> Undo:
        """What was written down.

        Raises:
            ValueError, TypeError: It is no undo.
        """
        if not isinstance(data, dict):
            raise TypeError(f"an undo is a mapping, not {type(data).__name__}")
        fields = cast("dict[str, Any]", data)
        kind, pid, ticks, path = (fields.get(name) for name in ("kind", "pid", "started_ticks", "path"))
        limit: Any = fields.get("limit", 0)
        if kind not in get_args(Kind):
            raise ValueError(f"{kind!r} is not a kind of undo")
        if not all(isinstance(number, int) for number in (pid, ticks, limit)) or not isinstance(path, str):
            raise TypeError("an undo has pid, started_ticks and path")
        return cls(cast("Kind", kind), cast("int", pid), cast("int", ticks), path, limit)

    @classmethod
    def resume(cls, process: ProcessIdentity) -> Undo:
        """Let a stopped process go on."""
        return cls("resume", process.pid, process.started_ticks)

    @classmethod
    def end(cls, process: ProcessIdentity) -> Undo:
        """End a process of ours."""
        return cls("kill", process.pid, process.started_ticks)

    @classmethod
    def outlast(cls, process: ProcessIdentity) -> Undo:
        """Wait for the end of a process that the fault lasts as long as."""
        return cls("outlast", process.pid, process.started_ticks)

    @classmethod
    def allow(cls, kind: Limited, process: ProcessIdentity, limit: int) -> Undo:
        """Let a process open as many files, or write files as large, as before."""
        return cls(kind, process.pid, process.started_ticks, limit=limit)


def carry_out(undo: Undo) -> str:
    """Take the step back; what was done, in words.

    Raises:
        OSError: It could not be done; try again.
    """
    process = ProcessIdentity(undo.pid, undo.started_ticks)
    match undo.kind:
        case "nothing":
            return "nothing was to be undone"
        case "resume":
            return _resume(process)
        case "kill":
            return "ended" if kill(process) else _not_there(process, "it could not be ended")
        case "remove":
            return _remove(Path(undo.path))
        case "files" | "size":
            return _allow(undo.kind, process, undo.limit)
        case "outlast":
            return LASTS if is_alive(process) else "it has ended with Ray's process"


def is_undone(undo: Undo) -> bool:
    """Whether nothing is left of the fault, as far as this host can see."""
    process = ProcessIdentity(undo.pid, undo.started_ticks)
    match undo.kind:
        case "nothing":
            return True
        case "resume":
            return not _is_stopped(process) and not is_pending(process, signal.SIGSTOP)
        case "kill" | "outlast":
            return not is_alive(process)
        case "remove":
            return not os.path.lexists(undo.path)
        case "files" | "size":
            return not is_alive(process) or limit_of(undo.kind, process) == undo.limit


def limit_of(kind: Limited, process: ProcessIdentity) -> int | None:
    """A limit of that very process; None when it is gone or this system does not say."""
    try:
        return resource.prlimit(process.pid, _LIMITS[kind])[0] if is_alive(process) else None
    except (OSError, AttributeError):
        return None


def set_limit(kind: Limited, process: ProcessIdentity, limit: int) -> None:
    """Let that very process have so many files open, or write them so large, and no more.

    Raises:
        OSError: It is gone, or not ours.
    """
    if not is_alive(process):
        raise ProcessLookupError(f"process {process.pid} is gone")
    hard = resource.prlimit(process.pid, _LIMITS[kind])[1]
    resource.prlimit(process.pid, _LIMITS[kind], (limit, hard))


def _allow(kind: Limited, process: ProcessIdentity, limit: int) -> str:
    if not is_alive(process):
        return "it is gone"
    set_limit(kind, process, limit)
    return "its limit is what it was"


def _resume(process: ProcessIdentity) -> str:
    """Also one that looks as if it ran: on a busy host a SIGSTOP that was sent may not have stopped it yet.

    SIGCONT takes that one back, and means nothing to a process that runs.
    """
    stood = _is_stopped(process) or is_pending(process, signal.SIGSTOP)
    if not send(process, signal.SIGCONT):
        return _not_there(process, "it could not be resumed")
    return "resumed" if stood else "it runs already"


def _is_stopped(process: ProcessIdentity) -> bool:
    return evidence(process, SYSTEM_CLOCK.now()).state in _STOPPED


def _not_there(process: ProcessIdentity, otherwise: str) -> str:
    if is_alive(process):
        raise PermissionError(f"process {process.pid}: {otherwise}; it belongs to another user")
    return "it is gone"


def _remove(path: Path) -> str:
    try:
        path.unlink()
    except FileNotFoundError:
        return "it is gone"
    return "removed"
