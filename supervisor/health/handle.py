"""The part of a `Supervisor` handle that is about health."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

from actors.runtime.clock import SYSTEM_CLOCK
from supervisor.services.handle import ServicesHandle
from supervisor.services.keys import HEALTH

if TYPE_CHECKING:
    from actors.health.published import HealthStanding
    from supervisor.health.health import Health


class HealthHandle(ServicesHandle):
    """See `Supervisor`."""

    @property
    def health(self) -> Health:
        """The health monitor: what is watched, and how it stands. It begins with its first use."""
        from supervisor.health.process import health_of  # noqa: PLC0415 - who watches nothing does not load it

        return health_of(self.connect_services())

    def health_standing(self) -> HealthStanding | None:
        """How things stand, and how old that is, as it lies on this node's board; it asks nobody.

        Returns: None where no monitor ever ran. It is `blind` when it is so old that its monitor must be dead.
        """
        from actors.health.published import STANDING  # noqa: PLC0415 - the same
        from actors.service.node_board import posted_on  # noqa: PLC0415 - the same
        from actors.service.posting import state_name  # noqa: PLC0415 - the same

        posted = posted_on(self.name, state_name(HEALTH, STANDING), SYSTEM_CLOCK.now_ns())
        if posted is None:
            return None
        standing: HealthStanding = pickle.loads(posted.replica.payload)  # noqa: S301 - our own monitor made it
        return standing.aged(posted.age_s)
