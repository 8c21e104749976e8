"""The children that one process calls: a handle each, one way to all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from actors.runtime.clock import SYSTEM_CLOCK, Clock
from actors.runtime.errors import SupervisorClosedError
from actors.runtime.id_source import IdSource
from supervisor.children.calls import Calls
from supervisor.children.handle import ChildHandle, PoolHandle
from supervisor.children.machine import CallMachine
from supervisor.children.pool import PoolMachine
from supervisor.children.renewal import LookUp, Renewal
from supervisor.children.routes import ChildRoutes
from supervisor.children.settings import CallSettings
from supervisor.children.ticker import Ticker
from supervisor.election import actor_by_name
from supervisor.tasks.resolving import decode_error

if TYPE_CHECKING:
    from supervisor.children.interface import ChildInterface
    from supervisor.children.sightings import View


class Children:
    """All that this process calls of one supervisor's children. Safe to use from many threads.

    Args:
        supervisor: The supervisor's name.
        node_id: This process's node.
        refresh: Looks for a newer view and hands it to `on_view`; called often, cheap when there is none.
        settings: The bounds of each child's calls.
        clock: Monotonic seconds.
        rng: The source of jitter.
        ids: The source of client ids.
        find: Finds an actor's handle by its name, or None.
    """

    def __init__(  # noqa: PLR0913 - the ports it stands on
        self,
        supervisor: str,
        node_id: str,
        refresh: Callable[[], None],
        *,
        settings: CallSettings | None = None,
        clock: Clock = SYSTEM_CLOCK,
        rng: Random | None = None,
        ids: IdSource | None = None,
        find: Callable[[str], Any] = actor_by_name,
    ) -> None:
        self._supervisor = supervisor
        self._settings = settings if settings is not None else CallSettings()
        self._clock = clock
        self._rng = rng if rng is not None else Random()  # noqa: S311 - jitter, not secrets
        self._ids = ids if ids is not None else IdSource()
        self._refresh = refresh
        self._lock = threading.Lock()
        self._calls: dict[str, Calls] = {}
        self._deleted: WeakValueDictionary[str, Calls] = WeakValueDictionary()
        self._closed = False
        self._routes = ChildRoutes(node_id, clock, find, on_deleted=self._let_go)
        self._ticker = Ticker(self._look, clock)
        self._renewal = Renewal(lambda key: self._calls.get(key) or self._deleted.get(key))

    def look_up_by(self, look_up: LookUp) -> None:
        """How interfaces are looked up anew that were changed since a handle was made; see `LookUp`."""
        self._renewal.look_up = look_up

    def child(self, key: str, interface: ChildInterface) -> ChildHandle:
        """The handle of a child, by its key `child/<name>`; all handles of a key share one order of calls.

        Raises:
            SupervisorClosedError: This process left the supervisor.
        """
        return ChildHandle(self._of(key, interface))

    def pool(self, pool: str, interface: ChildInterface) -> PoolHandle:
        """The handle of a pool, by its group's path."""
        calls = self._of(pool, interface)

        def members() -> dict[str, ChildHandle]:
            return {key: self.child(key, calls.interface) for key in self._routes.members(pool)}

        return PoolHandle(calls, members)

    def on_view(self, view: View, order: tuple[int, int] | None = None) -> None:
        """The leader announced something; see `ChildRoutes.on_view`."""
        self._routes.on_view(view, order)

    def settle(self) -> None:
        """Return once the views until now have reached every child's calls."""
        self._routes.settle()

    def close(self) -> None:
        """Make no more calls; those that are not answered fail."""
        with self._lock:
            self._closed = True
            calls = [*self._calls.values(), *self._deleted.values()]
        self._renewal.close()
        self._ticker.close()
        self._routes.close()
        for each in calls:
            each.close()

    def _look(self) -> None:
        self._refresh()
        self._routes.tick()

    def _let_go(self, key: str) -> None:
        """A child or pool was deleted: what is known of it stays while somebody holds a handle, or waits."""
        with self._lock:
            calls = self._calls.pop(key, None)
            if calls is not None:
                self._deleted[key] = calls

    def _of(self, key: str, interface: ChildInterface) -> Calls:
        with self._lock:
            if self._closed:
                raise SupervisorClosedError(self._supervisor)
            known = self._calls.get(key) or self._deleted.get(key)
            if known is not None:
                self._calls[key] = known
                known.take(interface)
                if known.is_behind:
                    self._renewal.want(key)
                return known
            calls = self._calls[key] = Calls(
                self._supervisor,
                interface,
                self._machine_for(key, interface),
                actors=self._routes,
                ticker=self._ticker,
                clock=self._clock,
                settings=self._settings,
                on_behind=self._renewal.want,
            )
        self._routes.add(calls)
        return calls

    def _machine_for(self, key: str, interface: ChildInterface) -> CallMachine | PoolMachine:
        client, rng = self._ids.client_id(), Random(self._rng.random())  # noqa: S311 - as above
        if "/" not in key:
            return PoolMachine(key, client, self._settings, rng, decode_error, concurrency=interface.concurrency)
        return CallMachine(
            key,
            client,
            self._settings,
            rng,
            decode_error,
            replayable=interface.each_call,
            concurrency=interface.concurrency,
        )
