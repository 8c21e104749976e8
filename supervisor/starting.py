"""What starting a supervisor, and submitting from inside a task, depend on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import GetTimeoutError, RayError

from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.context import CURRENT, DEADLINE
from actors.runtime.errors import (
    EventLogError,
    RestartIntensityError,
    SupervisorError,
    SupervisorExistsError,
    SupervisorNotFoundError,
)
from actors.telemetry.context import current_parent
from supervisor.charter import Charter
from supervisor.election import existing_leader, find_leader, leader_name
from supervisor.messages import ClusterView
from supervisor.pools import pool_error
from supervisor.tasks.policy import Policy
from supervisor.version import package_version, version_fault

if TYPE_CHECKING:
    from supervisor.config import SupervisorConfig

ANSWER_TIMEOUT_S = 20.0
"""How long a leader that lives may take to answer a new handle, seconds."""

_ONE_ANSWER_S = 5.0
_AGAIN_S = 0.05


def log_fault(path: str) -> EventLogError | None:
    """Why the log cannot be used, or None: to be known before anything is started."""
    from actors.event_log.store import check_path  # noqa: PLC0415 - DuckDB costs 0.1 s to import, only `start` needs it

    try:
        check_path(path)
    except EventLogError as error:
        return error
    return None


def charter_for(name: str, settings: SupervisorConfig, unusable: EventLogError | None) -> Charter:
    """Fill in what depends on the cluster: sizes left out, and the log's node.

    Args:
        name: The supervisor's name.
        settings: The configuration.
        unusable: Why the log cannot be used. That the name is taken comes first: then it is that one's log.

    Raises:
        SupervisorExistsError: The name is taken.
        EventLogError: `unusable`.
    """
    found = find_leader(name)
    if found is not None:
        raise SupervisorExistsError(name, leader=str(leader_name(name, found[0])))
    if unusable is not None:
        raise unusable
    cpus = max(1, int(ray.cluster_resources().get("CPU", 1)))
    pools = {
        pool: chosen if chosen.size is not None else chosen.model_copy(update={"size": cpus})
        for pool, chosen in settings.pools.items()
    }
    context = ray.get_runtime_context()
    endpoint = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") if settings.otlp == "auto" else None
    return Charter(
        name=name,
        config=settings.model_copy(update={"pools": pools}),
        log_node_id=context.get_node_id(),
        otlp_endpoint=endpoint,
    )


def leader_and_charter(name: str) -> tuple[int, Charter]:
    """Who leads, and what the supervisor is made of; a leader that dies or hangs is given time to be succeeded.

    Raises:
        SupervisorNotFoundError: Nobody leads under that name, or it runs another version of this package.
        RayError: It does not answer.
    """
    until = SYSTEM_CLOCK.now() + ANSWER_TIMEOUT_S
    while True:
        incarnation, leader = existing_leader(name)
        try:
            return incarnation, charter_of(name, leader, timeout_s=_ONE_ANSWER_S)
        except (RayError, GetTimeoutError):
            if SYSTEM_CLOCK.now() >= until:
                raise
            sleep(_AGAIN_S)


def charter_of(name: str, leader: Any, *, timeout_s: float) -> Charter:
    """The charter that a leader holds; its version is asked first, because the charter is a pickle.

    Raises:
        SupervisorNotFoundError: It runs another version of this package.
        RayError: It does not answer within `timeout_s` seconds.
    """
    tell = getattr(leader, "version", None)
    theirs: str | None = None if tell is None else ray.get(tell.remote(), timeout=timeout_s)
    fault = version_fault(theirs, package_version())
    if fault:
        remedy = "Install its version here, or end it by its own `supervisor down` and start it anew"
        raise SupervisorNotFoundError(name, reason=fault, remedy=remedy)
    return ray.get(leader.charter.remote(), timeout=timeout_s)


def parent_span() -> tuple[int, int] | None:
    """The span that a new task's span belongs under: the running task's, else the caller's current one."""
    task = CURRENT.get()
    return (task.trace_id, task.span_id) if task is not None else current_parent()


def within_deadline(policy: Policy) -> Policy:
    """What a task submits ends with it: the rest of its deadline limits the policy's."""
    deadline = DEADLINE.get()
    if deadline is None:
        return policy
    left_s = max(0.001, deadline - SYSTEM_CLOCK.now())
    if policy.deadline_s is not None and policy.deadline_s <= left_s:
        return policy
    return policy.model_copy(update={"deadline_s": left_s})


def is_ready(view: ClusterView) -> bool:
    """Whether the log and every pool's active workers run."""
    return view.event_log is not None and all(
        sum(worker.role == "active" for worker in pool.workers) >= pool.size for pool in view.pools.values()
    )


def is_decided(view: ClusterView) -> bool:
    """Whether the start has come to an end, good or bad."""
    failed = view.root_failure is not None or any(pool.failure is not None for pool in view.pools.values())
    return failed or is_ready(view)


def raise_start_fault(view: ClusterView | None, name: str, config: SupervisorConfig) -> None:
    """Raise why the start has not come to a good end; nothing when it has.

    Raises:
        SupervisorNotFoundError: No leader came up.
        RestartIntensityError: The workers do not come up.
        EventLogError: The log's writer does not.
        SupervisorError: Some workers are late.
    """
    timeout_s = config.start_timeout_s
    if view is None:
        raise SupervisorNotFoundError(name, reason="its leader did not come up", remedy="See Ray's logs")
    for pool, seen in view.pools.items():
        if seen.failure is not None:
            raise pool_error(pool, seen)
    if view.root_failure is not None:
        raise RestartIntensityError("system", restarts=10, period_s=10.0, last_error=view.root_failure)
    if view.event_log is None:
        reason = view.log_error or f"its writer did not come up within {timeout_s:g} s"
        raise EventLogError(config.log.path, reason=reason, remedy="Choose another log.path, or mend this one")
    if not is_ready(view):
        late = "; ".join(
            f"{child.key} is {child.status} {child.last_error}".rstrip()
            for child in view.children
            if child.status != "running"
        )
        raise SupervisorError(
            f"supervisor {name!r}: not all its workers came up within {timeout_s:g} s ({late}). "
            "Has the cluster room for them (`ray status`)? start_timeout_s sets how long to wait"
        )
