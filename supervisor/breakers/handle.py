"""The part of a `Supervisor` handle that is about circuit breakers."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from actors.breaker.handle import BreakerHandle
    from actors.breaker.link import OwnerLink
    from actors.breaker.remote import RayLink
    from actors.breaker.settings import BreakerSettings
    from supervisor.breakers.collection import Breakers
    from supervisor.breakers.process import LiveHomes
    from supervisor.config import SupervisorConfig
    from supervisor.events import Events
    from supervisor.link import LeaderLink
    from supervisor.messages import ClusterView
    from supervisor.pools import PoolRoutes


PROCESS = "supervisor.breakers.process"
"""The module of this process's links: who has not loaded it uses no breaker."""


class BreakersHandle:
    """See `Supervisor`."""

    name: str
    config: SupervisorConfig
    events: Events
    _link: LeaderLink
    _routes: PoolRoutes

    def _check_open(self) -> None:
        raise NotImplementedError

    def breaker(self, name: str, settings: BreakerSettings | None = None) -> BreakerHandle:
        """The circuit breaker of this name, the same one in every process of the cluster.

        It returns at once and works at once: until the breaker's owner answers, which takes an actor's start at the
        name's first use, this process decides by its own calls alone; so it does while the owner is lost.

        Args:
            name: What it guards, as "payments".
            settings: When it opens and how it recovers. The first definition of a name stands; one that differs is
                told in a warning, and changed by `configure`. Left out: as it was defined, else the defaults.

        Raises:
            ConfigError: That is no name, or the settings do not travel to other processes.
            TooManyBreakersError: This process has too many.
        """
        from actors.breaker.handle import linked_breaker  # noqa: PLC0415 - who uses no breaker does not load them

        return linked_breaker(self.breaker_link, name, settings)

    def breakers(self) -> Breakers:
        """All circuit breakers with their states, and what controls several by a glob: `breakers().reset("pay*", ...)`.

        Those of an owner that does not run are told from the log.
        """
        from supervisor.breakers.collection import Breakers  # noqa: PLC0415 - the same

        return Breakers(*self._connect_breakers(), self.events)

    def breaker_states(self) -> dict[str, str]:
        """The state of each breaker by name, as it lies on this node's board; it asks no owner."""
        from actors.breaker.noticeboard import states_on_board  # noqa: PLC0415 - the same
        from actors.runtime.node import board_path  # noqa: PLC0415 - the same

        return states_on_board(board_path(self.name))

    @property
    def breaker_link(self) -> OwnerLink:
        """This process's way to the breakers' owners."""
        return self._connect_breakers()[0]

    def _connect_breakers(self) -> tuple[RayLink, LiveHomes]:
        from supervisor.breakers import process  # noqa: PLC0415 - the same

        self._check_open()
        return process.connect(_Connection(self, self._link.leader))

    def stir_breakers(self) -> None:
        """Something was announced: an owner that is waited for may run."""
        process = sys.modules.get(PROCESS)
        if process is not None:
            process.stir(self.name)

    def leave_breakers(self) -> None:
        """This handle ends."""
        process = sys.modules.get(PROCESS)
        if process is not None:
            process.disconnect(_Connection(self, self._link.leader))

    def view_now(self) -> ClusterView | None:
        """The newest view that this process has; does not wait."""
        self._link.refresh()
        return self._routes.view


class _Connection:
    """A handle as its breakers see it; one of the same handle is the same."""

    def __init__(self, sup: BreakersHandle, leader: Callable[[], Any]) -> None:
        self._sup = sup
        self.name = sup.name
        self.own_max = sup.config.breaker_actors_max
        self.leader = leader

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Connection) and other._sup is self._sup

    def __hash__(self) -> int:
        return id(self._sup)

    def view(self) -> ClusterView | None:
        """See `process.Connection`."""
        return self._sup.view_now()
