"""What the actor of a service is given to find whoever leads, and the other services."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from supervisor.link import LeaderLink, follow
from supervisor.services.process import client_of

if TYPE_CHECKING:
    from actors.runtime.replicated import Replica
    from actors.service.client import ServiceClient
    from supervisor.charter import Charter


class LeaderPorts:
    """See `actors.service.ports.ServicePorts`.

    Args:
        charter: What a successor of the leader is made of.
        leader: The leader that is known.
        era: The number of this life of the cluster.
        settings: The configuration's part for the service.
    """

    def __init__(self, charter: Charter, leader: int, *, era: int, settings: Any) -> None:
        self._charter = charter
        self._leader = leader
        self.supervisor = charter.name
        self.era = era
        self.settings = settings

    def follow(self, take: Callable[[Replica], None]) -> LeaderLink:
        """See `ServicePorts`."""
        return follow(self._charter, self._leader, take)

    def service(self, key: str) -> ServiceClient:
        """See `ServicePorts`."""
        return client_of(self.supervisor, key)
