"""The part of a `Supervisor` handle that its services hang on: see `supervisor.services.process`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from actors.service.client import ServiceClient
    from supervisor.config import SupervisorConfig
    from supervisor.link import LeaderLink
    from supervisor.messages import ClusterView
    from supervisor.pools import PoolRoutes
    from supervisor.services.process import ProcessServices

PROCESS = "supervisor.services.process"
"""The module of this process's services: who has not loaded it uses none."""


class ServicesHandle:
    """See `Supervisor`."""

    name: str
    config: SupervisorConfig
    _link: LeaderLink
    _routes: PoolRoutes

    def _check_open(self) -> None:
        raise NotImplementedError

    def connect_services(self) -> ProcessServices:
        """What this process has of the supervisor's services."""
        from supervisor.services import process  # noqa: PLC0415 - who uses no service does not load them

        self._check_open()
        return process.connect(_Connection(self, self._link.leader))

    def service(self, key: str) -> ServiceClient:
        """This process's way to a service, as `degradation/main`."""
        return self.connect_services().client(key)

    def stir_services(self) -> None:
        """Something was announced: an owner that is waited for may run."""
        process = sys.modules.get(PROCESS)
        if process is not None:
            process.stir(self.name)

    def leave_services(self) -> None:
        """This handle ends."""
        process = sys.modules.get(PROCESS)
        if process is not None:
            process.disconnect(_Connection(self, self._link.leader))

    def view_now(self) -> ClusterView | None:
        """The newest view that this process has; does not wait."""
        self._link.refresh()
        return self._routes.view


class _Connection:
    """A handle as services see it; one of the same handle is the same."""

    def __init__(self, sup: ServicesHandle, leader: Callable[[], Any]) -> None:
        self._sup = sup
        self.name = sup.name
        self.config = sup.config
        self.leader = leader

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Connection) and other._sup is self._sup

    def __hash__(self) -> int:
        return id(self._sup)

    def view(self) -> ClusterView | None:
        """See `process.Connection`."""
        return self._sup.view_now()
