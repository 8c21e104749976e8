"""Where this node keeps what its processes share."""

from __future__ import annotations

import tempfile
from hashlib import blake2b
from pathlib import Path

import ray
from ray.exceptions import RayError


def board_path(supervisor: str) -> Path:
    """The file of this node's board for one supervisor; all nodes of one machine share a session folder."""
    node_id = ray.get_runtime_context().get_node_id()
    folder = _session_folder() / "supervisor"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{supervisor}-{node_id[:12]}.board"


def own_board_path(supervisor: str, writer: str) -> Path:
    """The file of a board that one process of this node writes for the others; `writer` tells those boards apart."""
    board = board_path(supervisor)
    return board.with_name(f"{board.stem}-{writer.replace('/', '-')}.board")


def spool_path(supervisor: str, log: str) -> Path:
    """The folder of the spool of a supervisor's log, as long as this node has the Ray session.

    Args:
        supervisor: Its name.
        log: The log's file, as its writer was given it.
    """
    board = board_path(supervisor)
    return board.with_name(f"{board.stem}-{blake2b(log.encode(), digest_size=6).hexdigest()}.spool")


def labels_of_nodes() -> dict[str, dict[str, str]]:
    """The labels of each node that Ray knows, by its id; none while Ray does not say."""
    try:
        return {node["NodeID"]: dict(node.get("Labels") or {}) for node in ray.nodes()}
    except (RayError, RuntimeError):
        return {}


def _session_folder() -> Path:
    """The Ray session's folder on this node: it goes with the session."""
    from ray._private import worker  # noqa: PLC0415 - private: Ray has no public way to ask for its session's folder

    node = getattr(worker, "_global_node", None)
    if node is not None:
        return Path(node.get_session_dir_path())
    return Path(tempfile.gettempdir()) / ray.get_runtime_context().get_session_name()
