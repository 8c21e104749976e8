"""Getting hold of a Ray cluster: the one given, the one at hand, the one in RAY_ADDRESS, or an embedded one."""

from __future__ import annotations

import importlib.util
import os
import queue
import shutil
import socket
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray

from actors.runtime import process
from actors.runtime.errors import SupervisorError
from actors.runtime.forking import forked_workers
from actors.runtime.ids import NAMESPACE
from supervisor.knobs import FORKED_MODULES, profile
from supervisor.rpc_faults import RpcDelay, RpcLoss, rpc_flags

PROBE_TIMEOUT_S = 2.0
FOLDER = "rsup-"
_OWNER = "owner"
"""The file in an embedded Ray's folder that says whose it is: the program's pid, start time and pid namespace."""


def _exists(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


EMBEDDED_KNOBS: Mapping[str, Any] = profile(_exists, embedded=True)
"""Ray's settings for an embedded cluster, see `supervisor.knobs`."""

CLUSTER_KNOBS: Mapping[str, Any] = profile(_exists)
"""Ray's settings for the head of a cluster, as cluster.yaml has them."""


class ClusterUnreachableError(SupervisorError):
    """The cluster does not answer, refuses this process, or runs another version."""

    def __init__(self, address: str, *, reason: str, remedy: str) -> None:
        self.address = address
        self.reason = reason
        super().__init__(f"Ray cluster at {address}: {reason}. {remedy}")


@dataclass(slots=True)
class Cluster:
    """A cluster this process is connected to.

    Attributes:
        embedded: It was started by this process and ends with it.
        connected_here: The connection was made here, so closing it is ours too.
        folder: The embedded cluster's own temporary folder.
    """

    embedded: bool
    connected_here: bool
    folder: str | None = None

    def leave(self) -> None:
        """End what was begun here: an embedded cluster with everything on it, or just the connection."""
        if self.connected_here and ray.is_initialized():
            ray.shutdown()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def will_embed(address: str | None) -> bool:
    """Whether `join(address, embed=True)` would start a local Ray."""
    if address is None and ray.is_initialized():
        return False
    return (address or os.environ.get("RAY_ADDRESS")) in (None, "local")


def join(address: str | None, *, embed: bool) -> Cluster:
    """Connect to `address`, else use the Ray initialised here, else RAY_ADDRESS, else (if `embed`) start a local one.

    Raises:
        ClusterUnreachableError: Within a few seconds, with what is wrong and what to do.
    """
    if address is None and ray.is_initialized():
        return Cluster(embedded=False, connected_here=False)
    if embed and will_embed(address):
        return start_embedded()
    wanted = address or os.environ.get("RAY_ADDRESS")
    if wanted is None:
        raise ClusterUnreachableError(
            "(none given)", reason="no address", remedy="Pass address=..., set RAY_ADDRESS, or use Supervisor.start()"
        )
    if ray.is_initialized():
        _insist_on_this_one(wanted)
        return Cluster(embedded=False, connected_here=False)
    return _connect(wanted)


def _insist_on_this_one(address: str) -> None:
    """A process has one Ray: asked for another cluster, it must not quietly take the one at hand."""
    here: str = ray.get_runtime_context().gcs_address
    if address not in ("auto", here) and not _same_endpoint(address, here):
        raise ClusterUnreachableError(
            address,
            reason=f"this process is connected to the one at {here}, and can be to one at a time",
            remedy="Leave that one first (ray.shutdown()), or use another process",
        )


def _same_endpoint(address: str, here: str) -> bool:
    host, _, port = address.rpartition(":")
    here_host, _, here_port = here.rpartition(":")
    if port != here_port:
        return False
    try:
        found = socket.gethostbyname(host)
    except OSError:
        return False
    return found == here_host or (found.startswith("127.") and here_host == ray.util.get_node_ip_address())


def start_embedded(
    *,
    dashboard: bool = False,
    knobs: Mapping[str, Any] = EMBEDDED_KNOBS,
    rpc_faults: Sequence[RpcLoss | RpcDelay] = (),
) -> Cluster:
    """Start a local Ray with a temporary folder of its own; it ends with this process, however that ends.

    Args:
        dashboard: Whether Ray's dashboard is started, too.
        knobs: Ray's settings.
        rpc_faults: For experiments only: what Ray itself loses or delays, from the start on, until it ends.
    Raises:
        ConfigError: An RPC fault cannot be; nothing was started.
    """
    flags = rpc_flags(rpc_faults)
    sweep_abandoned(Path(tempfile.gettempdir()))
    folder = tempfile.mkdtemp(prefix=FOLDER)
    _sign(Path(folder), process.this_process())
    # A local Ray switches token authentication on by itself and says so on every start; asked for, it does so silently.
    _set_auth_mode("token")
    _switch_uv_hook_off()
    try:
        with forked_workers(FORKED_MODULES):
            ray.init(
                address="local",
                include_dashboard=dashboard,
                namespace=NAMESPACE,
                log_to_driver=False,
                configure_logging=False,
                _temp_dir=folder,
                _system_config={**knobs, **flags} or None,
            )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Cluster(embedded=True, connected_here=True, folder=folder)


def _sign(folder: Path, owner: process.ProcessIdentity) -> None:
    (folder / _OWNER).write_text(f"{owner.pid} {owner.started_ticks} {pid_namespace()}", encoding="ascii")


def pid_namespace() -> str:
    """Where this process's pids mean something: a container that shares the temporary folder has others."""
    return os.readlink("/proc/self/ns/pid")


def sweep_abandoned(root: Path) -> None:
    """Remove the folders of embedded Rays whose programs were killed before they could do so."""
    for signature in root.glob(f"{FOLDER}*/{_OWNER}"):
        with suppress(OSError, ValueError):
            pid, started_ticks, namespace = signature.read_text(encoding="ascii").split()
            owner = process.ProcessIdentity(int(pid), int(started_ticks))
            if namespace == pid_namespace() and not process.is_alive(owner):
                shutil.rmtree(signature.parent, ignore_errors=True)


def _connect(address: str) -> Cluster:
    address = _local_address() if address == "auto" else address
    _probe(address)
    _use_token_if_there_is_one()
    _ask(address)
    _switch_uv_hook_off()
    try:
        ray.init(address=address, namespace=NAMESPACE, log_to_driver=False, configure_logging=False)
    except Exception as error:
        with suppress(Exception):
            ray.shutdown()
        raise _refusal(address, error) from error
    return Cluster(embedded=False, connected_here=True)


def _probe(address: str) -> None:
    """Ask by TCP first: `ray.init` alone waits for over a minute."""
    if "://" in address:
        raise ClusterUnreachableError(
            address,
            reason="a Ray client address cannot carry supervised tasks",
            remedy="Run on a node of the cluster, or submit your program with `ray job submit`",
        )
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise ClusterUnreachableError(
            address, reason="is not host:port", remedy="Use the GCS address, usually <head>:6379"
        )
    try:
        with socket.create_connection((host, int(port)), timeout=PROBE_TIMEOUT_S):
            pass
    except OSError as error:
        raise ClusterUnreachableError(
            address,
            reason=f"nothing answers there ({error})",
            remedy="Is the head node up, is it the GCS port (6379 by default), is a firewall between?",
        ) from None


def _local_address() -> str:
    """The cluster that `ray start` has begun on this machine."""
    current = Path(os.environ.get("RAY_TMPDIR", "/tmp")) / "ray" / "ray_current_cluster"  # noqa: S108 - Ray's own folder
    if os.environ.get("RAY_ADDRESS"):
        return os.environ["RAY_ADDRESS"]
    try:
        return current.read_text(encoding="utf-8").strip()
    except OSError:
        raise ClusterUnreachableError(
            "auto",
            reason="no Ray runs on this machine",
            remedy="Start one with `ray start --head`, or give the address of another machine's",
        ) from None


def _ask(address: str) -> None:
    """Let the GCS say whether it takes this process: `ray.init` waits 30 s on a wrong token, 40 s on a stranger."""
    answer: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
    threading.Thread(target=_greet, args=(address, answer), name="supervisor-greet", daemon=True).start()
    try:
        error = answer.get(timeout=PROBE_TIMEOUT_S)
    except queue.Empty:
        raise ClusterUnreachableError(
            address,
            reason="something listens there, but it does not answer as a Ray GCS",
            remedy="Use the GCS port (6379 by default), not the dashboard's or a client's",
        ) from None
    if error is not None:
        raise _refusal(address, error) from error


def _greet(address: str, answer: queue.SimpleQueue[BaseException | None]) -> None:
    try:
        import ray._raylet as raylet  # noqa: PLC0415 - private, and only a shortcut: without it ray.init says the same, later

        raylet.GcsClient(address=address)  # pyright: ignore[reportAttributeAccessIssue] - a Cython class without a stub
    except (ImportError, AttributeError, TypeError):
        answer.put(None)
    except Exception as error:  # noqa: BLE001 - whatever Ray says is passed on in words of ours
        answer.put(error)
    else:
        answer.put(None)


def _use_token_if_there_is_one() -> None:
    """An explicit address never switches token authentication on by itself; a token that is there says it is wanted."""
    if "RAY_AUTH_MODE" in os.environ:
        return
    default = Path.home() / ".ray" / "auth_token"
    if os.environ.get("RAY_AUTH_TOKEN") or os.environ.get("RAY_AUTH_TOKEN_PATH") or default.exists():
        _set_auth_mode("token")


def _switch_uv_hook_off() -> None:
    """See `actors`: unless the user wants it. A Ray that was imported before us has read its default already."""
    if os.environ.get("RAY_ENABLE_UV_RUN_RUNTIME_ENV") == "0":
        with suppress(ImportError, AttributeError):
            from ray._private import ray_constants  # noqa: PLC0415 - private, and nothing else reaches it

            ray_constants.RAY_ENABLE_UV_RUN_RUNTIME_ENV = False


def _set_auth_mode(mode: str) -> None:
    """Set the mode unless the user has, and make an imported Ray see it."""
    if os.environ.setdefault("RAY_AUTH_MODE", mode) == mode:
        with suppress(ImportError, AttributeError):
            import ray._raylet as raylet  # noqa: PLC0415 - private: its Config re-reads the mode that was just set

            raylet.Config.initialize("")  # pyright: ignore[reportAttributeAccessIssue] - a Cython class without a stub


def _refusal(address: str, error: BaseException) -> ClusterUnreachableError:
    text = str(error).strip() or type(error).__name__
    lowered = text.lower()
    if "token" in lowered or "auth" in lowered:
        return ClusterUnreachableError(
            address,
            reason="the token is missing or wrong",
            remedy="Set RAY_AUTH_TOKEN, or copy the head's ~/.ray/auth_token here, and set RAY_AUTH_MODE=token",
        )
    if "version" in lowered:
        return ClusterUnreachableError(
            address, reason=" ".join(text.split()), remedy="Install the cluster's versions of Ray and Python here"
        )
    return ClusterUnreachableError(address, reason=text.splitlines()[0], remedy="See `ray status` on its head node")
