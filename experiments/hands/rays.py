"""Ray's own processes on this node, found in /proc: Ray tells nobody their numbers."""

from __future__ import annotations

from pathlib import Path

from actors.runtime.process import ProcessIdentity, identify, parent_of

_ANCESTORS_MAX = 5
_GCS = b"/gcs_server"


def raylet_above(pid: int) -> ProcessIdentity | None:
    """The raylet that started the worker `pid`, itself or through a process that forks workers."""
    for _ in range(_ANCESTORS_MAX):
        parent = parent_of(pid)
        if parent is None or parent <= 1:
            return None
        if _is_raylet(parent):
            return identify(parent)
        pid = parent
    return None


def gcs_here(session: str) -> ProcessIdentity | None:
    """The GCS of a Ray session, if it runs here."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[0].endswith(_GCS) and any(session.encode() in word for word in words):
            return identify(int(folder.name))
    return None


def _is_raylet(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip() == "raylet"
    except OSError:
        return False
