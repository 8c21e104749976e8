"""What Ray's raylets offer by RPCs that Ray keeps to itself: warm processes, the configuration in force.

Private, so everything here is feature-detected: whatever is missing or refused comes back as `RayletRefusedError`, and
whoever asked goes on without it. Written against Ray 2.60 (src/ray/protobuf/node_manager.proto).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import ray

from actors.runtime.errors import SupervisorError

RPC_TIMEOUT_S = 2.0
_FOR_GOOD = ("UNIMPLEMENTED", "UNAUTHENTICATED", "PERMISSION_DENIED", "INVALID_ARGUMENT")


class RayletRefusedError(SupervisorError):
    """A raylet does not do what was asked of it.

    Attributes:
        address: Whose, host:port.
        for_good: Asking again would change nothing: this Ray has no such call, or does not let us.
    """

    def __init__(self, address: str, *, what: str, reason: str, for_good: bool) -> None:
        self.address = address
        self.for_good = for_good
        super().__init__(f"the raylet at {address} does not answer {what}: {reason}. Nothing depends on it but speed")


@dataclass(frozen=True, slots=True)
class Raylet:
    """One living node's raylet."""

    node_id: str
    address: str


def living_raylets() -> tuple[Raylet, ...]:
    """The raylets of all nodes that live."""
    return tuple(
        Raylet(node["NodeID"], f"{node['NodeManagerAddress']}:{node['NodeManagerPort']}")
        for node in ray.nodes()
        if node["Alive"]
    )


def start_warm_workers(raylet: Raylet, count: int, keep_alive_s: int) -> None:
    """Let a node start `count` worker processes ahead of need, for actors that this process's actors create.

    They belong to no job, and so fit each: those of a job serve only while it lasts, which an actor that outlives its
    program does not know. Their environment is the caller's own, which its actors inherit. Ray counts them as idle and
    gives them to whoever asks next, another job's first task too.

    Args:
        raylet: The node's.
        count: How many.
        keep_alive_s: How long an unused one is kept, whole seconds; later Ray ends it when it wants to.

    Raises:
        RayletRefusedError: It cannot be had.
    """
    what = "PrestartWorkers"
    with _Refusals(raylet.address, what):
        from ray.core.generated import node_manager_pb2 as messages  # noqa: PLC0415 - private, and 40 ms with gRPC

        request: Any = messages.PrestartWorkersRequest(  # pyright: ignore[reportAttributeAccessIssue] - no stubs
            language=0, num_workers=count, keep_alive_duration_secs=keep_alive_s
        )
        request.runtime_env_info.CopyFrom(_own_environment())
        _call(raylet.address, what, request)


def system_config(raylet: Raylet) -> dict[str, Any]:
    """The settings that the cluster's head was started with, and that every process takes from it.

    Those left at their default, and those that only stand in a process's environment, are not in it.

    Raises:
        RayletRefusedError: It cannot be had.
    """
    what = "GetSystemConfig"
    with _Refusals(raylet.address, what):
        from ray.core.generated import node_manager_pb2 as messages  # noqa: PLC0415 - private, and 40 ms with gRPC

        request: Any = messages.GetSystemConfigRequest()  # pyright: ignore[reportAttributeAccessIssue] - no stubs
        reply = _call(raylet.address, what, request)
        return dict(json.loads(reply.system_config or "{}"))


def _own_environment() -> Any:
    """The runtime environment of the calling actor or driver, as Ray matches it: by its exact text."""
    from ray._private.utils import get_runtime_env_info  # noqa: PLC0415 - private
    from ray.runtime_env import RuntimeEnv  # noqa: PLC0415 - beside it

    text: str = ray.get_runtime_context().get_runtime_env_string()
    info: Any = get_runtime_env_info(RuntimeEnv.deserialize(text or "{}"))
    info.serialized_runtime_env = text or "{}"
    return info


def _call(address: str, what: str, request: Any) -> Any:
    from ray._private.grpc_utils import init_grpc_channel  # noqa: PLC0415 - private: it shows the cluster's token
    from ray.core.generated import node_manager_pb2_grpc as services  # noqa: PLC0415 - private, and 40 ms with gRPC

    channel = init_grpc_channel(address)
    try:
        return getattr(services.NodeManagerServiceStub(channel), what)(request, timeout=RPC_TIMEOUT_S)
    finally:
        channel.close()


class _Refusals:
    """Turns whatever a private call raises into one error of ours."""

    def __init__(self, address: str, what: str) -> None:
        self._address = address
        self._what = what

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, Exception):
            raise refusal(self._address, self._what, error) from error


def refusal(address: str, what: str, error: Exception) -> RayletRefusedError:
    """Our error for one that a private call raised: gRPC's carries a code, any other means that this Ray differs."""
    code = getattr(error, "code", None)
    if not callable(code):
        return RayletRefusedError(address, what=what, reason=f"{type(error).__name__}: {error}", for_good=True)
    name = str(getattr(code(), "name", code()))
    told = getattr(error, "details", None)
    details = str(told()) if callable(told) else ""
    return RayletRefusedError(address, what=what, reason=f"{name} {details}".strip(), for_good=name in _FOR_GOOD)
