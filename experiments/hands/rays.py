"""Ray's own processes on this node, found in /proc by what they were started with: Ray tells nobody their numbers.

Rejected: the raylet as an ancestor of one of its workers. A node may have no worker of ours, and a forked worker's
parent is another.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from actors.runtime.process import ProcessIdentity, identify

_GCS, _RAYLET = b"/gcs_server", b"/raylet"


def raylet_here(node_id: str) -> ProcessIdentity | None:
    """The raylet of a node, if that is on this machine.

    Args:
        node_id: Ray's id of the node.
    """
    return _found(_RAYLET, lambda word: word == f"--node_id={node_id}".encode())


def gcs_here(session: str) -> ProcessIdentity | None:
    """The GCS of a Ray session, if it runs here."""
    return _found(_GCS, lambda word: session.encode() in word)


def _found(program: bytes, is_its: Callable[[bytes], bool]) -> ProcessIdentity | None:
    """The process of a program that has such a word in its command line; a zombie has none."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[0].endswith(program) and any(map(is_its, words)):
            return identify(int(folder.name))
    return None
