"""The trees that a simulation begins with: nested groups of all strategies, pools, standbys."""

from __future__ import annotations

from random import Random

from supervisor.tree import (
    LOG,
    ROOT,
    SYSTEM,
    TOP,
    BackoffPlan,
    ChildPlan,
    GroupPlan,
    Restart,
    Strategy,
    child_key,
    group_path,
    member_plan,
)

_STRATEGIES: tuple[Strategy, ...] = ("one_for_one", "one_for_one", "one_for_all", "rest_for_one")
_RESTARTS: tuple[Restart, ...] = ("permanent", "permanent", "permanent", "transient", "temporary")
_HEARTBEAT_S = 5.0
_GROUP = 12
"""Members of a group, at most: small enough for the strategies to come into it often."""

_DEPTH = 4
_NESTED, _POOLS = 0.3, 0.1
"""The parts of the groups that are in another one, and that are pools."""


def tree_of(children: int, rng: Random) -> tuple[list[GroupPlan], list[ChildPlan], list[str]]:
    """Groups, children, and the order of both, for about so many children: nested groups, pools, standbys."""
    groups = [
        GroupPlan(path=TOP, parent=None, starts_together=True),
        GroupPlan(path=SYSTEM, parent=TOP, starts_together=True, intensity=10, period_s=10.0),
        GroupPlan(path=ROOT, parent=TOP, starts_together=True, intensity=children, period_s=1.0),
    ]
    made = [ChildPlan(key=LOG, group=SYSTEM, heartbeat_s=_HEARTBEAT_S, hang_timeout_s=3 * _HEARTBEAT_S)]
    order = [LOG]
    branches: list[str] = []
    while len(made) < children:
        parent = rng.choice(branches[-20:]) if branches and rng.random() < _NESTED else ROOT
        if parent.count(".") + 1 >= _DEPTH:
            continue
        path = group_path(parent, f"g{len(groups)}")
        fresh = _pool(path, parent, rng) if rng.random() < _POOLS else _branch(path, parent, rng)
        groups.append(fresh[0])
        made += fresh[1]
        order += [path, *(plan.key for plan in fresh[1])]
        if fresh[0].pool_size is None:
            branches.append(path)
    return groups, made, order


def _branch(path: str, parent: str, rng: Random) -> tuple[GroupPlan, list[ChildPlan]]:
    plan = GroupPlan(
        path=path,
        parent=parent,
        strategy=rng.choice(_STRATEGIES),
        intensity=rng.randrange(6),
        restart=rng.choice(_RESTARTS[:4]),
        auto_shutdown=rng.choice(("never", "never", "any_significant", "all_significant")),
        backoff=BackoffPlan(max_s=2.0),
    )
    return plan, [_child(path, f"c{number}", plan, rng) for number in range(rng.randrange(1, _GROUP))]


def _child(path: str, name: str, group: GroupPlan, rng: Random) -> ChildPlan:
    restart = rng.choice(_RESTARTS)
    return ChildPlan(
        key=child_key(path, name),
        group=path,
        restart=restart,
        significant=restart != "permanent" and group.auto_shutdown != "never",
        standbys=rng.choice((0, 0, 0, 0, 1, 2)),
        shutdown_s=rng.choice((1.0, 5.0, "brutal_kill")),
        heartbeat_s=_HEARTBEAT_S,
        hang_timeout_s=3 * _HEARTBEAT_S,
        start_timeout_s=5.0,
    )


def _pool(path: str, parent: str, rng: Random) -> tuple[GroupPlan, list[ChildPlan]]:
    size, standbys = rng.randrange(1, 2 * _GROUP), rng.randrange(3)
    template = ChildPlan(
        key=f"child/{path}", group=path, pool=path, heartbeat_s=_HEARTBEAT_S, hang_timeout_s=3 * _HEARTBEAT_S
    )
    plan = GroupPlan(
        path=path,
        parent=parent,
        starts_together=True,
        ends_together=True,
        intensity=size,
        pool_size=size,
        pool_standbys=standbys,
        template=template,
    )
    return plan, [member_plan(template, f"{template.key}-{number}") for number in range(size + standbys)]
