"""Finding the leader, and becoming it: a name in Ray's actor table is the office, creating it is the election.

A standby was elected in advance: it holds the next name and waits. So whoever finds several holders asks them
(`supervisor.succession`), and whoever finds the office vacant makes a new life only when no standby is left.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import ActorDiedError, GetTimeoutError, RayError

from actors.runtime import process
from actors.runtime.actor_table import ActorRow, actor_rows, living_names
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.errors import SupervisorNotFoundError
from actors.runtime.ids import NAMESPACE, ROOT_KEY, ActorName
from supervisor.messages import KnownActor
from supervisor.succession import Life, Office, leader_among
from supervisor.tree import Location

if TYPE_CHECKING:
    from supervisor.charter import Charter
    from supervisor.messages import ClusterView

CONCERN, CHILD = ROOT_KEY.split("/")

OFFICE_S = 1.0
"""How long those that hold a name of the root may take to say whether they lead, seconds."""


def leader_name(supervisor: str, incarnation: int) -> ActorName:
    """The name that the supervisor's `incarnation` holds while it lives."""
    return ActorName(supervisor, CONCERN, CHILD, incarnation)


def actor_by_name(name: ActorName | str) -> Any | None:
    """The handle of a living actor of ours, or None."""
    try:
        return ray.get_actor(str(name), namespace=NAMESPACE)
    except ValueError:
        return None


def find_leader(supervisor: str, *, after: int = 0) -> tuple[int, Any] | None:
    """The leading incarnation and its handle, or None when nobody leads; none but those later than `after` count.

    A standby is found only when its leader is gone: then it leads in a moment.
    """
    held = _holders(supervisor, after=after)
    return _ask_who_leads(held) if len(held) > 1 else next(iter(held.items()), None)


def is_replaced(supervisor: str, incarnation: int) -> bool | None:
    """Whether a later incarnation says that it leads; None when Ray or a later one is silent: then nobody knows."""
    unknown: bool | None = False
    try:
        for handle in _holders(supervisor, after=incarnation).values():
            try:
                if ray.get(handle.office.remote(), timeout=OFFICE_S)[0] == "leader":
                    return True
            except ActorDiedError:
                continue
            except (RayError, GetTimeoutError):
                unknown = None
    except (RayError, RuntimeError):
        return None
    return unknown


def _holders(supervisor: str, *, after: int) -> dict[int, Any]:
    """The handles of all that hold a name of the root, by number."""
    return {
        name.incarnation: handle
        for name in living_names()
        if (name.supervisor, name.key) == (supervisor, ROOT_KEY)
        and name.incarnation > after
        and (handle := actor_by_name(name)) is not None
    }


def _ask_who_leads(held: Mapping[int, Any]) -> tuple[int, Any] | None:
    living, offices = set(held), list[Office]()
    asked = {handle.office.remote(): number for number, handle in held.items() if hasattr(handle, "office")}
    until = SYSTEM_CLOCK.now() + OFFICE_S
    while (sighting := leader_among(living, offices)) is not None:
        left_s = until - SYSTEM_CLOCK.now()
        if sighting.certain or not asked or left_s <= 0:
            return sighting.incarnation, held[sighting.incarnation]
        for answered in ray.wait(list(asked), timeout=left_s)[0]:
            number = asked.pop(answered)
            try:
                offices.append(Office(number, *ray.get(answered)))
            except ActorDiedError:
                living.discard(number)
            except RayError:
                continue  # out of reach: it has said nothing
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
    found = find_leader(charter.name, after=after)
    if found is not None:
        return found
    lives = root_lives(charter.name)
    # One that is only being created is not listed yet, and holds the office all the same: two would fight for the tree.
    elected = max((life.incarnation for life in lives if life.alive and life.incarnation > after), default=None)
    if elected is not None:
        handle = actor_by_name(leader_name(charter.name, elected))
        if handle is None:
            raise ValueError(f"incarnation {elected} of supervisor {charter.name!r} ends at this moment; elect again")
        return elected, handle
    name = leader_name(charter.name, max([after, *(life.incarnation for life in lives)]) + 1)
    # Beside the log while that node lives: what its loss costs is one thing then, and not two. Softly asked for, a node
    # that has just joined would not know the other one yet, and would keep the leader to itself.
    soft = charter.log_node_id not in living_nodes()
    try:
        return name.incarnation, create(charter, name, node_id=charter.log_node_id, soft=soft, succeeds=after > 0)
    except ValueError:
        handle = actor_by_name(name)
        if handle is None:
            raise
        return name.incarnation, handle


def create(
    charter: Charter, name: ActorName, *, node_id: str, soft: bool, succeeds: bool = False, follows: int | None = None
) -> Any:
    """Make a life of the root; it leads, or stands by for the incarnation that it `follows`.

    Raises:
        ValueError: The name is taken.
    """
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy  # noqa: PLC0415 - costs 30 ms to import

    from supervisor.actor import supervisor_actor  # noqa: PLC0415 - the actor elects too, through its node agents

    options = supervisor_actor().options(
        name=str(name),
        namespace=NAMESPACE,
        lifetime="detached",
        num_cpus=0,
        max_restarts=0,
        max_concurrency=4,
        scheduling_strategy=NodeAffinitySchedulingStrategy(node_id=node_id, soft=soft),
    )
    return options.remote(str(name), name.incarnation, charter, succeeds=succeeds, follows=follows)


def root_lives(supervisor: str, rows: Sequence[ActorRow] | None = None) -> tuple[Life, ...]:
    """All lives of the root, the dead ones included as long as Ray remembers them; from `rows`, if they are given."""
    return tuple(
        Life(row.name.incarnation, row.alive, ran=row.pid > 0)
        for row in (actor_rows() if rows is None else rows)
        if (row.name.supervisor, row.name.key) == (supervisor, ROOT_KEY)
    )


def inventory(supervisor: str, rows: Sequence[ActorRow] | None = None) -> tuple[KnownActor, ...]:
    """This supervisor's actors in Ray's table, the dead ones included as long as Ray remembers them.

    Args:
        supervisor: Its name.
        rows: The table, if it has been read already.
    """
    here = str(ray.get_runtime_context().get_node_id())
    known = [_known(row, here) for row in (actor_rows() if rows is None else rows) if row.name.supervisor == supervisor]
    return tuple(sorted(known, key=lambda actor: (actor.key, actor.incarnation)))


def located(actors: tuple[KnownActor, ...], view: ClusterView | None) -> tuple[KnownActor, ...]:
    """The same actors with their places as a predecessor's view tells them; it knows more than Ray's table."""
    if view is None:
        return actors
    places = {name: child.location for child in view.children for name in (child.host, child.name) if child.location}
    supervisor = view.leader.partition("/")[0]
    return tuple(
        replace(actor, location=places.get(f"{supervisor}/{actor.key}#{actor.incarnation}") or actor.location)
        for actor in actors
    )


def _known(row: ActorRow, here: str) -> KnownActor:
    """A row of Ray's table; the place only on this node, where the pid can be bound to its present life."""
    place = None
    if row.alive and row.pid and row.node_id == here:
        place = Location(process=process.identify(row.pid), node_id=here, host=socket.gethostname())
    return KnownActor(key=row.name.key, incarnation=row.name.incarnation, alive=row.alive, location=place)


def place_here(supervisor: str, incarnation: int) -> process.ProcessIdentity | None:
    """The process of a life of the root that was constructed, if it runs on this node."""
    here = str(ray.get_runtime_context().get_node_id())
    wanted = leader_name(supervisor, incarnation)
    for row in actor_rows():
        if (row.name, row.state, row.node_id) == (wanted, "ALIVE", here) and row.pid:
            return process.identify(row.pid)
    return None
