"""Looks at what `supervisor doctor` judges: the configuration in force on the cluster at hand."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import ray

from actors.runtime.raylet import RayletRefusedError, living_raylets, start_warm_workers, system_config
from supervisor.knobs import Examined, examine
from supervisor.launch import FOLDER, ClusterUnreachableError
from supervisor.rpc_faults import FLAGS

_PREFIX = "RAY_"
_SERVERS = ("gcs_server", "raylet")


def examine_cluster() -> tuple[Examined, ...]:
    """Compare the cluster that this process is connected to with the knob profile.

    Raises:
        ClusterUnreachableError: It does not say what it was started with.
    """
    return examine(
        _config_in_force(),
        _server_environment(_session()),
        prestart_refusal=_prestart_refusal(),
        embedded=_is_embedded(),
    )


def has_rpc_faults() -> bool:
    """Whether Ray loses or delays calls of its own on the cluster that this process is connected to.

    Raises:
        ClusterUnreachableError: It does not say what it was started with.
    """
    told = {**_server_environment(_session()), **_config_in_force()}
    return any(told.get(flag) or told.get(f"{_PREFIX}{flag}") for flag in FLAGS)


def _is_embedded() -> bool:
    """Whether a program started this Ray for itself: its folder is named so."""
    folder: str = ray.get_runtime_context().get_temp_dir()
    return Path(folder).name.startswith(FOLDER)


def _session() -> str:
    return ray.get_runtime_context().get_session_name()


def _config_in_force() -> dict[str, Any]:
    """What the head was started with.

    Raises:
        ClusterUnreachableError: It does not say.
    """
    context = ray.get_runtime_context()
    raylets = sorted(living_raylets(), key=lambda raylet: raylet.node_id != context.get_node_id())
    if not raylets:
        raise ClusterUnreachableError(context.gcs_address, reason="no node lives", remedy="See `ray status`")
    nearest = raylets[0]
    try:
        return system_config(nearest)
    except RayletRefusedError as error:
        raise ClusterUnreachableError(
            nearest.address, reason=str(error), remedy="The doctor knows Ray 2.60; compare with cluster.yaml by hand"
        ) from error


def _prestart_refusal() -> str | None:
    """Why a node does not take the request; asked for no process at all, it starts none."""
    try:
        for raylet in living_raylets():
            start_warm_workers(raylet, 0, 1)
    except RayletRefusedError as error:
        return str(error)
    return None


def _server_environment(session: str) -> dict[str, str]:
    """Ray's variables in the environment of this machine's servers of that session; none where they are not ours."""
    found: dict[str, str] = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            program, _, arguments = path.read_bytes().partition(b"\0")
            if Path(program.decode(errors="replace")).name in _SERVERS and session.encode() in arguments:
                found |= variables((path.parent / "environ").read_bytes())
    return found


def variables(environ: bytes) -> dict[str, str]:
    """Ray's variables in a process's environment as /proc shows it."""
    pairs = (entry.partition("=") for entry in environ.decode(errors="replace").split("\0"))
    return {name: value for name, _, value in pairs if name.startswith(_PREFIX)}
