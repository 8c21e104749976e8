"""Where this process's children are: the leader's views and the kernel's death notices, turned into routes.

Only children that are called from here are looked at. A first call opens the connection to an actor, so it is made
ahead for standbys too: a failover then costs no look-up and no connecting.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakValueDictionary

from ray.exceptions import RayError

from actors.runtime.death_watch import DeathWatch
from actors.runtime.process import is_alive
from supervisor.children.errors import ChildGoneError
from supervisor.children.outbox import Outbox
from supervisor.children.sightings import Member, Seen, look_at
from supervisor.election import actor_by_name

if TYPE_CHECKING:
    from actors.runtime.clock import Clock
    from supervisor.children.sightings import View
    from supervisor.tree import Location

FIND_AGAIN_S = 0.05


class Routed(Protocol):
    """Whoever calls a child, or a pool."""

    key: str

    def routed(self, key: str, incarnation: int, host: str | None) -> None:
        """This incarnation is accepted; `host` is the actor to call, or None while there is none."""
        ...

    def called(self, interface: str, *, outdated: bool) -> None:
        """By an interface of this digest; `outdated`: what serves was built of another spec than that is of."""
        ...

    def died(self, key: str, incarnation: int) -> None:
        """The accepted incarnation's process is dead."""
        ...

    def gone(self, key: str, error: ChildGoneError, *, patient: bool = False) -> None:
        """It is gone for good: the child, the pool, or one of its members.

        `patient`: it can have ended by itself, and the answer that says so may be on its way yet.
        """
        ...

    def back(self) -> None:
        """The child, or the pool, that was gone is there again; it may still have to start."""
        ...


class ChildRoutes:
    """The routes to the children that this process calls. Safe to use from many threads.

    Args:
        node_id: This process's node: deaths of its processes are told by the kernel.
        clock: Monotonic seconds.
        find: Finds an actor's handle by its name, or None.
        on_deleted: Called with the key of each child or pool that was deleted, after whoever calls it was told.
    """

    def __init__(
        self,
        node_id: str,
        clock: Clock,
        find: Callable[[str], Any] = actor_by_name,
        on_deleted: Callable[[str], None] = lambda _key: None,
    ) -> None:
        self._node_id = node_id
        self._clock = clock
        self._find = find
        self._on_deleted = on_deleted
        self._lock = threading.Lock()
        self._view: View | None = None
        self._order = (0, 0)
        self._routed: WeakValueDictionary[str, Routed] = WeakValueDictionary()
        self._seen: dict[str, Seen] = {}
        self._handles: dict[str, Any] = {}
        self._hosted: dict[str, list[tuple[Routed, str, int]]] = {}
        self._told: dict[tuple[str, str], tuple[int, str | None]] = {}
        self._called: dict[tuple[str, str], tuple[str, bool]] = {}
        self._gone: set[str] = set()
        self._dead: set[str] = set()
        self._missing = False
        self._find_at = 0.0
        self._news: Outbox[Callable[[], None]] = Outbox(lambda tell: tell())
        self._deaths = DeathWatch(self._on_death)

    def add(self, routed: Routed) -> None:
        """From now on, tell this one where its child is, while somebody holds it."""
        with self._lock:
            self._routed[routed.key] = routed
            self._look([routed])
        self._news.work()

    def on_view(self, view: View, order: tuple[int, int] | None = None) -> None:
        """The leader announced something.

        Args:
            view: What it announced.
            order: Its place among all views; one that several threads bring may be older than the last. None: newer.
        """
        with self._lock:
            if order is not None:
                if order <= self._order:
                    return
                self._order = order
            self._view = view
            self._look(list(self._routed.values()))
        self._news.work()

    def settle(self) -> None:
        """Return once everybody has been told what the views until now say."""
        self._news.settle()

    def handle(self, host: str) -> Any:
        """The handle of a hosting actor that is in the view, or None."""
        return self._handles.get(host)

    def members(self, pool: str) -> list[str]:
        """The keys of the members that serve a pool now."""
        seen = self._seen.get(pool)
        return [] if seen is None else [member.key for member in seen.members if member.host in self._handles]

    def tick(self) -> None:
        """Look again for actors that are announced and could not be found."""
        if not self._missing or self._clock.now() < self._find_at:
            return
        with self._lock:
            self._look(list(self._routed.values()))
        self._news.work()

    def close(self) -> None:
        """Watch nothing any more."""
        self._deaths.close()

    # -- inside, under the lock -------------------------------------------------------------------------------------

    def _look(self, callers: Iterable[Routed]) -> None:
        view = self._view
        if view is None:
            return
        callers = list(callers)
        self._forget_those_left()
        for routed, seen in zip(callers, look_at(view, [routed.key for routed in callers]), strict=True):
            self._compare(routed, self._seen.get(routed.key), seen)
            self._seen[routed.key] = seen
        self._missing = False
        self._find_at = self._clock.now() + FIND_AGAIN_S
        known = {name for seen in self._seen.values() for name in seen.actors}
        for name in set(self._handles) - known:
            del self._handles[name]
        self._dead &= known
        for name in known - set(self._handles):
            self._connect(name)
        self._deaths.keep_only(known)
        self._hosted = {}
        for routed in list(self._routed.values()):
            for member in self._seen[routed.key].members if routed.key in self._seen else ():
                self._route(routed, member)

    def _forget_those_left(self) -> None:
        """Nobody holds them any more: they were deleted, and their handles are gone."""
        left = self._seen.keys() - set(self._routed)
        for key in left:
            del self._seen[key]
            self._gone.discard(key)
        if left:
            self._told = {place: route for place, route in self._told.items() if place[0] not in left}
            self._called = {place: how for place, how in self._called.items() if place[0] not in left}

    def _compare(self, routed: Routed, before: Seen | None, seen: Seen) -> None:
        """Tell of what is gone, and of what is there again."""
        if seen.gone is not None and (before is None or before.gone != seen.gone):
            self._tell_gone(routed, seen.gone, patient=seen.ended)
        elif seen.known and seen.gone is None and routed.key in self._gone:
            self._gone.remove(routed.key)
            self._tell(routed.back)
        if before is None:
            return
        if before.known and not seen.known:
            self._tell_gone(routed, "it was deleted", patient=True)
            self._tell(self._on_deleted, routed.key)
        left = {member.key for member in before.members} - {member.key for member in seen.members}
        for key in sorted(left):
            self._told.pop((routed.key, key), None)
            self._called.pop((routed.key, key), None)
            if key != routed.key:
                self._tell(routed.gone, key, ChildGoneError(key, "it left the pool"))

    def _tell_gone(self, routed: Routed, reason: str, *, patient: bool) -> None:
        self._gone.add(routed.key)
        self._tell(routed.gone, routed.key, ChildGoneError(routed.key, reason), patient=patient)

    def _route(self, routed: Routed, member: Member) -> None:
        host = member.host if member.host in self._handles else None
        if host is not None:
            self._hosted.setdefault(host, []).append((routed, member.key, member.incarnation))
        route, place = (member.incarnation, host), (routed.key, member.key)
        is_news = self._told.get(place) != route
        if is_news:
            self._told[place] = route
            self._tell(routed.routed, member.key, *route)
        how = (member.interface, member.outdated)
        if self._called.get(place, ("", False)) != how:  # after the route: what the earlier life lost goes by its own
            self._called[place] = how
            self._tell(routed.called, member.interface, outdated=member.outdated)
        if is_news and host is not None and self._is_dead(host, member.location):
            self._tell(routed.died, member.key, member.incarnation)

    def _is_dead(self, host: str, where: Location | None) -> bool:
        """Whether it is dead already; if not, its death will be told."""
        if host not in self._dead and where is not None and where.node_id == self._node_id:
            if not self._deaths.watch(host, where.process) and not is_alive(where.process):
                self._dead.add(host)
        return host in self._dead

    def _connect(self, name: str) -> None:
        try:
            handle = self._find(name)
            if handle is not None:
                handle.describe.remote()  # the first call to an actor opens the connection
                self._handles[name] = handle
        except RayError:
            handle = None
        self._missing = self._missing or handle is None

    def _tell(self, tell: Callable[..., None], *news: Any, **how: Any) -> None:
        self._news.put([partial(tell, *news, **how)])

    def _on_death(self, host: str) -> None:
        with self._lock:
            self._dead.add(host)
            for routed, key, incarnation in self._hosted.get(host, ()):
                self._tell(routed.died, key, incarnation)
        self._news.work()
