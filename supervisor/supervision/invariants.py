"""What holds of the tree whenever an event has been decided; checked by tests and by the simulation. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from supervisor.supervision.state import State
from supervisor.tree import TOP, Child, Group, Pool, is_group


def broken(state: State) -> list[str]:
    """What does not hold, for people; nothing if all is well. It costs a look at everything."""
    found: list[str] = []
    for child in state.children.values():
        found += (f"{child.plan.key}: {problem}" for problem in _of_child(state, child))
    for group in state.groups.values():
        found += (f"{group.plan.path}: {problem}" for problem in _of_group(state, group))
    for pool in state.pools.values():
        found += (f"{pool.name}: {problem}" for problem in _of_pool(state, pool))
    return [*found, *_of_places(state), *_of_requests(state), *_of_all(state)]


def _of_child(state: State, child: Child) -> Iterator[str]:  # noqa: C901 - one promise after the other
    group, life = state.groups.get(child.plan.group), child.accepted
    if group is None or child.plan.key not in group.members:
        yield "is in no group"
        return
    if child.status in ("starting", "running"):
        if life is None or life.status != child.status:
            yield f"is {child.status}, its accepted life is {None if life is None else life.status}"
    elif child.status == "stopping":
        if not child.lives:
            yield "is stopping without a life"
    elif life is not None:
        yield f"is {child.status} and has an accepted life"
    elif child.lives and child.status != "restarting":
        yield f"is {child.status} and has standbys"
    for number, each in child.lives.items():
        if number > child.last:
            yield f"life {number} is beyond the last number {child.last}"
        if each.standby and each.status == "running" and number < child.incarnation:
            yield f"life {number} stands by for the later life {child.incarnation}"
        if each.standby and each.status != "stopping" and number < child.current_from:
            yield f"life {number} stands by, and was built of another spec"
    if group.is_down and child.lives:
        yield f"lives in {group.plan.path}, which is down"


def _of_group(state: State, group: Group) -> Iterator[str]:  # noqa: C901, PLR0912 - one promise after the other
    for member in group.members:
        if not (member in state.groups if is_group(member) else member in state.children):
            yield f"holds {member}, which is not there"
    if group.is_down:
        if group.status not in ("waiting", "restarting", "stopped", "given_up"):
            yield f"is down and {group.status}"
        if group.todo or group.ending:
            yield "is down and has members to start or to end"
        for member in group.members:
            if is_group(member) and not state.groups[member].is_down:
                yield f"is down, and {member} in it is not"
        return
    if group.status not in ("starting", "running", "restarting", "stopping"):
        yield f"is up and {group.status}"
    if group.status == "running" and (group.todo or group.ending):
        yield "is running and has members to start or to end"
    if group.status == "stopping" and not group.ending:
        yield "is stopping and waits for nobody"
    if not group.begun <= {*group.todo, *group.ending}:
        yield f"has begun {group.begun - {*group.todo, *group.ending}}, which is on no list"
    if not {*group.todo, *group.ending} <= set(group.members):
        yield "works on what is no member of it"
    if group.status != "stopping" and len(group.restarted_at) > group.plan.allowance:
        yield "is over its intensity"


def _of_pool(state: State, pool: Pool) -> Iterator[str]:
    members = [state.children[key] for key in pool.members]
    active = [child for child in members if child.role == "active"]
    standing = {child.plan.key for child in members if child.role == "standby"}
    if len(active) != pool.active:
        yield f"counts {pool.active} active members of {len(active)}"
    if standing != set(pool.standbys):
        yield f"counts {set(pool.standbys)} standing by, of {standing}"
    if standing and pool.active < pool.size:
        yield "has a free place and somebody who stands by"
    for child in active:
        if child.status != "running":
            yield f"{child.plan.key} is active and {child.status}"


def _of_places(state: State) -> Iterator[str]:
    placed: defaultdict[str, set[tuple[str, int]]] = defaultdict(set)
    hosted: defaultdict[str, set[tuple[str, int]]] = defaultdict(set)
    for child in state.children.values():
        for life in child.lives.values():
            if life.is_placed and life.location is not None:
                placed[life.location.node_id].add((child.plan.key, life.incarnation))
                if life.host:
                    hosted[life.host].add((child.plan.key, life.incarnation))
    if {node: set(lives) for node, lives in state.lives_on.items()} != placed:
        yield "does not know which lives are on which node"
    if {host: set(lives) for host, lives in state.lives_in.items()} != hosted:
        yield "does not know which lives are in which process"


def _of_requests(state: State) -> Iterator[str]:
    for member in (*state.waiting, *state.requested, *state.new, *state.leaving, *state.adopting):
        if member not in state.children and member not in state.groups:
            yield f"somebody waits for {member}, which is not there"
    for member in (*state.requested, *state.new):
        if not state.is_alive(member) and member not in state.parent_of(member).todo:
            yield f"{member} is being started on request, and is down"


def _of_all(state: State) -> Iterator[str]:
    reached = [TOP]
    for path in reached:
        reached += filter(state.groups.__contains__, state.groups[path].members)
    if len(reached) != len(state.groups):
        yield f"{set(state.groups) - set(reached)} hang in the air"
