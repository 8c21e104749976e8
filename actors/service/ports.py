"""What the actor of a service needs of the supervisor. It travels to the actor, and finds whoever leads."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from actors.runtime.replicated import Replica

if TYPE_CHECKING:
    from actors.service.client import ServiceClient

Follow = Callable[[Callable[[Replica], None]], Any]
"""The port to the leader: calls back with each newer replica of its view; returns what can be stopped."""


class ServicePorts(Protocol):
    """The ways out of a service's actor. It pickles.

    Attributes:
        supervisor: The supervisor's name.
        era: The number of this life of the cluster: incarnations begin anew with each, the log outlives it.
        settings: The configuration's part for this service, or None.
    """

    supervisor: str
    era: int
    settings: Any

    def follow(self, take: Callable[[Replica], None]) -> Any:
        """Call back with each newer replica of the leader's view; returns what can be stopped."""
        ...

    def service(self, key: str) -> ServiceClient:
        """The way from this process to another service; the first use makes a handle of the supervisor here."""
        ...
