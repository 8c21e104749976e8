"""Finding the leader, and becoming it: a name in Ray's actor table is the office, creating it is the election."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import Any

import ray
from ray.exceptions import RayError

from actors.runtime import process
from actors.runtime.errors import SupervisorNotFoundError
from actors.runtime.ids import NAMESPACE, ActorName
from supervisor.charter import Charter
from supervisor.messages import ClusterView, KnownActor
from supervisor.tree import Location

CONCERN = "supervisor"
CHILD = "root"


def leader_name(supervisor: str, incarnation: int) -> ActorName:
    """The name that the supervisor's `incarnation` holds while it lives."""
    return ActorName(supervisor, CONCERN, CHILD, incarnation)


def actor_by_name(name: ActorName | str) -> Any | None:
    """The handle of a living actor of ours, or None."""
    try:
        return ray.get_actor(str(name), namespace=NAMESPACE)
    except ValueError:
        return None


def living_names() -> list[ActorName]:
    """Every living actor of ours on the cluster."""
    listed: list[dict[str, str]] = ray.util.list_named_actors(all_namespaces=True)  # pyright: ignore[reportAssignmentType]
    names = (ActorName.parse(entry["name"]) for entry in listed if entry["namespace"] == NAMESPACE)
    return [name for name in names if name is not None]


def find_leader(supervisor: str) -> tuple[int, Any] | None:
    """The leading incarnation and its handle, or None when nobody leads."""
    held = [
        name for name in living_names() if (name.supervisor, name.concern, name.child) == (supervisor, CONCERN, CHILD)
    ]
    for name in sorted(held, key=lambda name: name.incarnation, reverse=True):
        handle = actor_by_name(name)
        if handle is not None:
            return name.incarnation, handle
    return None


def living_nodes() -> tuple[str, ...]:
    """The ids of the cluster's living nodes."""
    return tuple(node["NodeID"] for node in ray.nodes() if node["Alive"])


def supervisors() -> list[str]:
    """The names of all supervisors that lead on this cluster."""
    return sorted({name.supervisor for name in living_names() if name.concern == CONCERN})


def existing_leader(name: str) -> tuple[int, Any]:
    """The leading incarnation and its handle.

    Raises:
        SupervisorNotFoundError: Nobody leads under that name; the message names those that do.
    """
    found = find_leader(name)
    if found is None:
        running = ", ".join(supervisors()) or "none"
        raise SupervisorNotFoundError(
            name, reason=f"not on this cluster (running there: {running})", remedy="Start it with `supervisor up`"
        )
    return found


def elect(charter: Charter, *, after: int) -> tuple[int, Any]:
    """Make sure that an incarnation later than `after` leads; returns it and its handle.

    Whoever creates the next name has made the next leader; whoever finds it taken follows that one.
    """
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy  # noqa: PLC0415 - costs 30 ms to import

    from supervisor.actor import SupervisorProcess  # noqa: PLC0415 - the actor elects too, through its node agents

    found = find_leader(charter.name)
    if found is not None and found[0] > after:
        return found
    lives = [actor for actor in inventory(charter.name) if actor.key == f"{CONCERN}/{CHILD}"]
    # One that is only being created is not listed yet, and holds the office all the same: two would fight for the tree.
    elected = max((life.incarnation for life in lives if life.alive and life.incarnation > after), default=None)
    if elected is not None:
        handle = actor_by_name(leader_name(charter.name, elected))
        if handle is None:
            raise ValueError(f"incarnation {elected} of supervisor {charter.name!r} ends at this moment; elect again")
        return elected, handle
    name = leader_name(charter.name, max([after, *(life.incarnation for life in lives)]) + 1)
    options = SupervisorProcess.options(
        name=str(name),
        namespace=NAMESPACE,
        lifetime="detached",
        num_cpus=0,
        max_restarts=0,
        max_concurrency=4,
        # Beside the log while that node lives: what its loss costs is one thing then, and not two. Softly asked for, a
        # node that has just joined would not know the other one yet, and would keep the leader to itself.
        scheduling_strategy=NodeAffinitySchedulingStrategy(
            node_id=charter.log_node_id, soft=charter.log_node_id not in living_nodes()
        ),
    )
    try:
        return name.incarnation, options.remote(str(name), name.incarnation, charter, succeeds=after > 0)
    except ValueError:
        handle = actor_by_name(name)
        if handle is None:
            raise
        return name.incarnation, handle


def inventory(supervisor: str) -> tuple[KnownActor, ...]:
    """This supervisor's actors in Ray's table, the dead ones included as long as Ray remembers them."""
    known = [actor for name, actor in _actor_table() if name == supervisor]
    return tuple(sorted(known, key=lambda actor: (actor.key, actor.incarnation)))


def located(actors: tuple[KnownActor, ...], view: ClusterView | None) -> tuple[KnownActor, ...]:
    """The same actors with their places as a predecessor's view tells them; it knows more than Ray's table."""
    if view is None:
        return actors
    places = {child.name: child.location for child in view.children}
    supervisor = view.leader.partition("/")[0]
    return tuple(
        replace(actor, location=places.get(f"{supervisor}/{actor.key}#{actor.incarnation}") or actor.location)
        for actor in actors
    )


def _actor_table() -> list[tuple[str, KnownActor]]:
    """Our actors, each beside its supervisor's name."""
    try:
        from ray._private import state  # noqa: PLC0415 - private: 1 ms and no dashboard needed, so it is tried first

        table: Any = state.actors()
        rows: list[dict[str, Any]] = list(table.values())
    except (ImportError, AttributeError, RayError, RuntimeError):
        return [
            (name.supervisor, KnownActor(key=name.key, incarnation=name.incarnation, alive=True))
            for name in living_names()
        ]
    here = str(ray.get_runtime_context().get_node_id())
    found = ((ActorName.parse(row.get("Name") or ""), row) for row in rows)
    return [(name.supervisor, _known(name, row, here)) for name, row in found if name is not None]


def _known(name: ActorName, row: dict[str, Any], here: str) -> KnownActor:
    """A row of Ray's table; the place only on this node, where the pid can be bound to its present life."""
    alive = row.get("State") != "DEAD"
    pid, node_id = row.get("Pid"), (row.get("Address") or {}).get("NodeID")
    place = None
    if alive and pid and node_id == here:
        place = Location(process=process.identify(int(pid)), node_id=here, host=socket.gethostname())
    return KnownActor(key=name.key, incarnation=name.incarnation, alive=alive, location=place)
