"""Where this node keeps what its processes share."""

from __future__ import annotations

import tempfile
from pathlib import Path

import ray


def board_path(supervisor: str) -> Path:
    """The file of this node's board for one supervisor; all nodes of one machine share a session folder."""
    node_id = ray.get_runtime_context().get_node_id()
    folder = _session_folder() / "supervisor"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{supervisor}-{node_id[:12]}.board"


def _session_folder() -> Path:
    """The Ray session's folder on this node: it goes with the session."""
    from ray._private import worker  # noqa: PLC0415 - private: Ray has no public way to ask for its session's folder

    node = getattr(worker, "_global_node", None)
    if node is not None:
        return Path(node.get_session_dir_path())
    return Path(tempfile.gettempdir()) / ray.get_runtime_context().get_session_name()
