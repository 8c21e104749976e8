"""What a process has of a supervisor's services: one of each, however many handles of the supervisor there are."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast
from uuid import uuid4

from ray.exceptions import RayError

from actors.runtime.node import board_path, own_board_path
from actors.service.client import ServiceClient
from actors.service.finding import HOUSED_S
from actors.service.near import near_address
from actors.service.near_way import NearWay
from actors.service.node_board import NodeBoard
from supervisor import requests as r
from supervisor.administering import Administrator, raise_problem
from supervisor.services.keys import HEARING_NEAR

if TYPE_CHECKING:
    from supervisor.config import SupervisorConfig
    from supervisor.messages import ClusterView


ENDED = ("stopped", "ignored")
"""Of a service that somebody has ended by hand: it is started again by whoever needs it."""


class Connection(Protocol):
    """What the services of a process need of a handle of the supervisor."""

    name: str
    config: SupervisorConfig
    leader: Callable[[], Any]
    """Gives the leader's handle, or None."""

    def view(self) -> ClusterView | None:
        """The newest view; does not wait."""
        ...


class Resident(Protocol):
    """What lives in a process as long as any handle of the supervisor does."""

    def stir(self) -> None:
        """The leader has announced something."""
        ...

    def stop(self) -> None:
        """The last handle ends."""
        ...


R = TypeVar("R", bound=Resident)


class Connections:
    """The supervisor as any living handle of this process sees it.

    Args:
        supervisor: Its name.
    """

    def __init__(self, supervisor: str) -> None:
        self.supervisor = supervisor
        self.all: list[Connection] = []
        self._administrator = Administrator(self._leader, supervisor)

    def view(self) -> tuple[ClusterView, SupervisorConfig] | None:
        """The newest view, and the configuration; None before the first."""
        for connection in reversed(self.all):
            view = connection.view()
            if view is not None:
                return view, connection.config
        return None

    @property
    def config(self) -> SupervisorConfig:
        """The supervisor's configuration."""
        return self.all[-1].config

    def ask(self, wish: r.Request, *, subject: str, timeout_s: float) -> None:
        """Have the leader do something; returns also when it has not answered in time.

        Raises:
            AdministrationError: It was refused.
            ChildStartError: What was to run does not start.
        """
        answer = self._administrator.request(uuid4().hex, wish, timeout_s=timeout_s)
        if answer is not None:
            raise_problem(answer, subject)

    def _leader(self) -> Any:
        return next((leader for each in reversed(self.all) if (leader := each.leader()) is not None), None)


class ServiceHomes:
    """Where services are; see `actors.service.finding.Homes`. Their names are their keys."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def owner_of(self, name: str) -> str | None:
        """See `Homes`."""
        seen = self._connections.view()
        found = None if seen is None else next((child for child in seen[0].children if child.key == name), None)
        return found.name if found is not None and found.status == "running" else None

    def want(self, name: str, timeout_s: float = HOUSED_S) -> None:
        """See `Homes`."""
        seen = self._connections.view()
        if seen is None:
            return
        found = next((child for child in seen[0].children if child.key == name), None)
        if found is None or found.status in ENDED:  # else it is on its way
            self._connections.ask(r.Serve(key=name), subject=name, timeout_s=timeout_s)


class ProcessServices:
    """One supervisor's, in this process.

    Attributes:
        connections: The handles.
    """

    def __init__(self, supervisor: str) -> None:
        self.connections = Connections(supervisor)
        self._homes = ServiceHomes(self.connections)
        self._lock = threading.Lock()
        self._residents: dict[str, Resident] = {}
        self._clients: dict[str, ServiceClient] = {}

    def client(self, key: str) -> ServiceClient:
        """The way to a service."""
        with self._lock:
            client = self._clients.get(key)
            if client is None:
                supervisor = self.connections.supervisor
                board = NodeBoard(partial(board_path, supervisor))
                own = NodeBoard(partial(own_board_path, supervisor, key))
                near = NearWay(partial(_near, supervisor)) if key in HEARING_NEAR else None
                client = self._clients[key] = ServiceClient(
                    key, self._homes, board, own=own, near=near, supervisor=supervisor
                )
            return client

    def resident(self, name: str, make: Callable[[Connections], R]) -> R:
        """What lives here under this name, made with its first use."""
        with self._lock:
            found = self._residents.get(name)
            if found is None:
                found = self._residents[name] = make(self.connections)
            return cast("R", found)

    def stir(self) -> None:
        """The leader has announced something."""
        for resident in list(self._residents.values()):
            resident.stir()

    def stop(self) -> None:
        """The last handle ends."""
        for ending in (*self._residents.values(), *self._clients.values()):
            with suppress(RayError):
                ending.stop()


def _near(supervisor: str, actor: str) -> bytes:
    return near_address(board_path(supervisor), actor)


_OF_PROCESS: dict[str, ProcessServices] = {}
_LOCK = threading.Lock()


def connect(connection: Connection) -> ProcessServices:
    """The process's services, which live as long as any handle does that is connected to them."""
    with _LOCK:
        services = _OF_PROCESS.get(connection.name)
        if services is None:
            services = _OF_PROCESS[connection.name] = ProcessServices(connection.name)
        if connection not in services.connections.all:
            services.connections.all.append(connection)
        return services


def stir(supervisor: str) -> None:
    """The leader has announced something."""
    services = _OF_PROCESS.get(supervisor)
    if services is not None:
        services.stir()


def disconnect(connection: Connection) -> None:
    """A handle ends; with the last one this process's services do."""
    with _LOCK:
        services = _OF_PROCESS.get(connection.name)
        if services is None or connection not in services.connections.all:
            return
        if len(services.connections.all) > 1:
            services.connections.all.remove(connection)
            return
        del _OF_PROCESS[connection.name]
    services.stop()
    services.connections.all.clear()


def of_process(supervisor: str) -> ProcessServices:
    """The services of a process in which something of a supervisor's arrives; a handle is made where there is none."""
    with _LOCK:
        services = _OF_PROCESS.get(supervisor)
    if services is not None:
        return services
    from supervisor.handle import Supervisor  # noqa: PLC0415 - handles of the supervisor make these

    return Supervisor.of_process(supervisor).connect_services()


def client_of(supervisor: str, key: str) -> ServiceClient:
    """The way to a service from a process that may have no handle of the supervisor yet."""
    return of_process(supervisor).client(key)
