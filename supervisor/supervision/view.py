"""What the supervisor announces about its tree. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.runtime.ids import ActorName
from supervisor.messages import ChildView, ClusterView, GroupView, PoolView, WorkerView
from supervisor.tree import LOG, POOLS, ROOT, SYSTEM, Child, Group, Pool

if TYPE_CHECKING:
    from supervisor.supervision.state import State


def build_view(state: State) -> ClusterView:
    """The tree as callers see it."""
    name = state.supervisor
    log = state.children.get(LOG)
    log_runs = log is not None and log.status == "running"
    return ClusterView(
        leader=str(ActorName(name, "supervisor", "root", state.incarnation)),
        incarnation=state.incarnation,
        pools={
            path.removeprefix(POOLS): _pool_view(state, pool, state.groups[path])
            for path, pool in state.pools.items()
            if path.startswith(POOLS)
        },
        event_log=_name(name, log) if log is not None and log_runs else None,
        root_failure=_failure(state, SYSTEM) or _failure(state, ROOT),
        log_error=log.last_error if log is not None and not log_runs else None,
        agents={
            child.plan.node_id: _name(name, child)
            for child in map(state.children.__getitem__, _agents(state))
            if child.plan.node_id is not None and child.status == "running"
        },
        children=tuple(_child_view(name, child) for child in state.children.values()),
        groups={path: _group_view(group) for path, group in state.groups.items()},
        stopping=state.stopping,
        draining=tuple(sorted(state.draining)),
    )


def _failure(state: State, path: str) -> str | None:
    group = state.groups.get(path)
    return None if group is None else group.failure


def _agents(state: State) -> list[str]:
    system = state.groups.get(SYSTEM)
    return [] if system is None else [key for key in system.members if key.startswith("node_agent/")]


def _pool_view(state: State, pool: Pool, group: Group) -> PoolView:
    members = [state.children[key] for key in pool.members]
    return PoolView(
        workers=tuple(
            WorkerView(name=_name(state.supervisor, child), role=child.role, location=child.location)
            for child in members
            if child.status == "running" and child.location is not None
        ),
        failure=group.failure,
        restarts=len(group.restarted_at),
        period_s=group.plan.period_s,
        size=pool.size,
    )


def _child_view(supervisor: str, child: Child) -> ChildView:
    plan, life = child.plan, child.accepted
    name = _name(supervisor, child)
    return ChildView(
        key=plan.key,
        name=name,
        status=child.status,
        role=child.role,
        restarts=child.restarts,
        location=None if life is None else life.location,
        last_error=child.last_error,
        incarnation=child.incarnation,
        host=name if life is None or not life.host else life.host,
        standbys=tuple(
            standby.host or str(ActorName(supervisor, plan.concern, plan.child, standby.incarnation))
            for standby in child.standbys()
            if standby.status == "running" and standby.in_step_of == child.incarnation
        ),
        group=plan.group,
        adopted=life is not None and life.is_adopted and child.status == "starting",
        interface=plan.interface,
        outdated=life is not None and life.incarnation < child.current_from,
    )


def _group_view(group: Group) -> GroupView:
    plan = group.plan
    return GroupView(
        path=plan.path,
        parent=plan.parent,
        strategy=plan.strategy,
        status=group.status,
        members=tuple(group.members),
        restarts=group.restarts,
        intensity=plan.allowance,
        period_s=plan.period_s,
        failure=group.failure,
    )


def _name(supervisor: str, child: Child) -> str:
    return str(ActorName(supervisor, child.plan.concern, child.plan.child, child.incarnation))
