"""DuckDB's and the disk's failures in plain words: what is wrong with which file, and what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass

import duckdb

from actors.runtime.errors import EventLogError

_PID = re.compile(r"\(PID (\d+)\)")


@dataclass(frozen=True, slots=True)
class _Cause:
    """A kind of failure: by what it is known, and how it is told."""

    signs: tuple[str, ...]
    types: tuple[type[Exception], ...]
    reason: str
    remedy: str


_CAUSES = (
    _Cause(
        signs=("no space left", "file too large", "disk quota", "not enough space", "out of disk"),
        types=(),
        reason="its disk is full",
        remedy="Free space there, then it goes on by itself; nothing acknowledged is lost",
    ),
    _Cause(
        signs=("read-only file system",),
        types=(),
        reason="its file system is read-only",
        remedy="Choose a log path on a disk that can be written",
    ),
    _Cause(
        signs=("permission denied",),
        types=(PermissionError,),
        reason="this user may not write it or its folder",
        remedy="Give this user write permission there, or choose another log path",
    ),
    _Cause(
        signs=("not a valid duckdb database",),
        types=(),
        reason="the file exists and is not a DuckDB database",
        remedy="Move it away, or choose another log path",
    ),
    _Cause(
        signs=("corrupt database", "checksum", "could not read enough bytes", "serialization error", "deserialize"),
        types=(),
        reason="the file is damaged",
        remedy="Move it and its .wal file away (keep them for a rescue), or restore a copy",
    ),
    _Cause(
        signs=("is a directory",),
        types=(IsADirectoryError,),
        reason="it is a folder",
        remedy="Name a file, for example events.duckdb inside that folder",
    ),
    _Cause(
        signs=("no such file",),
        types=(FileNotFoundError, NotADirectoryError, FileExistsError),
        reason="its folder does not exist and cannot be created",
        remedy="Create the folder, mount the drive, or choose another log path",
    ),
)

ROW_FAULTS: tuple[type[Exception], ...] = (
    duckdb.DataError,
    duckdb.IntegrityError,
    duckdb.InvalidInputException,
    duckdb.NotSupportedError,
    TypeError,
    ValueError,
    OverflowError,
)
"""What DuckDB's client raises when rows do not fit a table, in contrast to a disk or file that fails."""


class LogLockedError(EventLogError):
    """Another process, or another opening in this one, has the file.

    Attributes:
        pid: The process that holds it; 0 when the system did not say.
    """

    def __init__(self, path: str, *, pid: int) -> None:
        self.pid = pid
        who = f"process {pid}" if pid else "another process"
        super().__init__(
            path,
            reason=f"{who} has it open, and one process at a time may",
            remedy="Ask the supervisor that owns it (Supervisor.connect), end that process, or choose another log path",
        )


class LogBrokenError(EventLogError):
    """DuckDB gave the open database up; only opening the file anew helps, so the log's actor ends and is restarted."""

    def __init__(self, path: str, *, reason: str) -> None:
        super().__init__(
            path, reason=f"DuckDB gave it up: {reason}", remedy="Open it anew; what was acknowledged is in the file"
        )


def explain(path: str, error: Exception) -> EventLogError:
    """The error to show for `error`, which came up while `path` was opened, read or written."""
    text = str(error)
    lower = text.lower()
    if isinstance(error, EventLogError):
        return error
    if isinstance(error, (duckdb.FatalException, duckdb.InternalException)):
        return LogBrokenError(path, reason=_first_line(text))
    if "could not set lock" in lower or "conflicting lock" in lower:
        found = _PID.search(text)
        return LogLockedError(path, pid=int(found[1]) if found else 0)
    for cause in _CAUSES:
        if isinstance(error, cause.types) or any(sign in lower for sign in cause.signs):
            return EventLogError(path, reason=f"{cause.reason} ({_first_line(text)})", remedy=cause.remedy)
    return EventLogError(
        path, reason=_first_line(text), remedy="If the path is right, move the file away or choose another log path"
    )


def _first_line(text: str) -> str:
    return text.strip().split("\n", 1)[0].rstrip(". ") or "an unknown failure"
