"""This process's way to the health monitor: one, however many handles of the supervisor there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.health.health import Health
from supervisor.services.keys import HEALTH

if TYPE_CHECKING:
    from supervisor.services.process import Connections, ProcessServices

RESIDENT = "health"


class _Resident:
    """Holds it as long as any handle lives."""

    def __init__(self, health: Health) -> None:
        self.health = health

    def stir(self) -> None:
        """See `process.Resident`."""

    def stop(self) -> None:
        """See `process.Resident`: who iterates over changes is let go."""
        self.health.close()


def health_of(services: ProcessServices) -> Health:
    """This process's, made with the first use."""
    client = services.client(HEALTH)

    def make(_: Connections) -> _Resident:
        return _Resident(Health(client))

    return services.resident(RESIDENT, make).health
