"""The part of a `Supervisor` handle that is about circuit breakers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.services.handle import ServicesHandle

if TYPE_CHECKING:
    from actors.breaker.handle import BreakerHandle
    from actors.breaker.link import OwnerLink
    from actors.breaker.settings import BreakerSettings
    from supervisor.breakers.collection import Breakers
    from supervisor.breakers.process import ProcessBreakers
    from supervisor.events import Events


class BreakersHandle(ServicesHandle):
    """See `Supervisor`."""

    events: Events

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
            TooManyBreakersError: Nobody has used that name, and the cluster has as many as `breaker_names_max` says.
        """
        from actors.breaker.handle import linked_breaker  # noqa: PLC0415 - who uses no breaker does not load them

        return linked_breaker(self.breaker_link, name, settings)

    def breakers(self) -> Breakers:
        """All circuit breakers with their states, and what controls several by a glob: `breakers().reset("pay*", ...)`.

        Those of an owner that does not run are told from the log.
        """
        from supervisor.breakers.collection import Breakers  # noqa: PLC0415 - the same

        found = self._breakers()
        return Breakers(found.link, found.homes, self.events)

    def breaker_states(self) -> dict[str, str]:
        """The state of each breaker by name, as it lies on this node's board; it asks no owner."""
        from actors.breaker.noticeboard import states_on_board  # noqa: PLC0415 - the same
        from actors.runtime.node import board_path  # noqa: PLC0415 - the same

        return states_on_board(board_path(self.name))

    @property
    def breaker_link(self) -> OwnerLink:
        """This process's way to the breakers' owners."""
        return self._breakers().link

    def _breakers(self) -> ProcessBreakers:
        from supervisor.breakers.process import breakers_of  # noqa: PLC0415 - the same

        return breakers_of(self.connect_services())
