"""What the supervisor announces about its tree. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from actors.runtime.ids import ActorName
from supervisor.messages import ChildView, ClusterView, PoolView, WorkerView
from supervisor.tree import ROOT, Child, Group, Pool


def build_view(
    supervisor: str,
    incarnation: int,
    *,
    children: Mapping[str, Child],
    groups: Mapping[str, Group],
    pools: Mapping[str, Pool],
    stopping: bool,
) -> ClusterView:
    """The tree as callers see it."""
    log = children.get("event_log/writer")
    log_runs = log is not None and log.status == "running"
    return ClusterView(
        leader=str(ActorName(supervisor, "supervisor", "root", incarnation)),
        incarnation=incarnation,
        pools={name: _pool_view(supervisor, pool, children, groups[f"pool:{name}"]) for name, pool in pools.items()},
        event_log=_name(supervisor, log) if log is not None and log_runs else None,
        root_failure=groups[ROOT].failure,
        log_error=log.last_error if log is not None and not log_runs else None,
        agents={
            child.spec.node_id: _name(supervisor, child)
            for child in children.values()
            if child.spec.node_id is not None and child.status == "running"
        },
        children=tuple(_child_view(supervisor, child) for child in children.values()),
        stopping=stopping,
    )


def _pool_view(supervisor: str, pool: Pool, children: Mapping[str, Child], group: Group) -> PoolView:
    members = [children[key] for key in pool.members]
    return PoolView(
        workers=tuple(
            WorkerView(name=_name(supervisor, child), role=child.role, location=child.location)
            for child in members
            if child.status == "running" and child.location is not None
        ),
        failure=group.failure,
        restarts=len(group.restarted_at),
        period_s=group.spec.period_s,
        size=pool.size,
    )


def _child_view(supervisor: str, child: Child) -> ChildView:
    return ChildView(
        key=child.spec.key,
        name=_name(supervisor, child),
        status=child.status,
        role=child.role,
        restarts=child.restarts,
        location=child.location,
        last_error=child.last_error,
    )


def _name(supervisor: str, child: Child) -> str:
    return str(ActorName(supervisor, child.spec.concern, child.spec.child, child.incarnation))
