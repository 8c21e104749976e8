"""A process's handle of the degradation: one, however many handles of the supervisor there are."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from actors.degradation.handle import DegradationHandle
from actors.degradation.saying import STATE, unpack
from actors.runtime.clock import SYSTEM_CLOCK
from actors.service.node_board import posted_on
from actors.service.posting import state_name
from supervisor.services.keys import DEGRADATION
from supervisor.services.process import of_process

if TYPE_CHECKING:
    from supervisor.config import SupervisorConfig
    from supervisor.services.process import Connections, ProcessServices

RESIDENT = "degradation"


class ProcessDegradation:
    """The handle of one supervisor's degradation in this process."""

    def __init__(self, handle: DegradationHandle) -> None:
        self.handle = handle

    def stir(self) -> None:
        """What is waited for is looked for anyway."""

    def stop(self) -> None:
        """Its way to the owner ends by itself; what was read last is read on."""


def degradation_in(services: ProcessServices, config: SupervisorConfig) -> DegradationHandle:
    """This process's, made with the first use."""
    client = services.client(DEGRADATION)

    def make(connections: Connections) -> ProcessDegradation:
        recipe = partial(degradation_of, connections.supervisor)
        return ProcessDegradation(DegradationHandle(client, config.degradation.levels, recipe))

    return services.resident(RESIDENT, make).handle


def degradation_of(supervisor: str) -> DegradationHandle:
    """That of a process in which a handle arrives."""
    services = of_process(supervisor)
    return degradation_in(services, services.connections.config)


def level_on_board(supervisor: str) -> str | None:
    """The level as it lies on this node's board; None where nobody has used degradation."""
    posted = posted_on(supervisor, state_name(DEGRADATION, STATE), SYSTEM_CLOCK.now_ns())
    return None if posted is None else unpack(posted.replica.payload).published.level
