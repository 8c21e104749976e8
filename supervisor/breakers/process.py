"""This process's way to the breakers of a supervisor: one link, however many handles of the supervisor there are."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

import ray
from ray.exceptions import RayError

from actors.breaker.link import OwnerLink
from actors.breaker.noticeboard import Noticeboard
from actors.breaker.registry import REGISTRY
from actors.breaker.remote import RayLink
from actors.runtime.node import board_path
from supervisor import requests as r
from supervisor.administering import Administrator, raise_problem
from supervisor.breakers.homes import home_of, is_owner

if TYPE_CHECKING:
    from supervisor.messages import ClusterView

HOUSED_S = 20.0
"""How long the leader may take to start an owner before it is asked again, seconds."""


class Connection(Protocol):
    """What the breakers of a process need of a handle of the supervisor."""

    name: str
    own_max: int
    """So many breakers have an actor of their own."""
    leader: Callable[[], Any]
    """Gives the leader's handle, or None."""

    def view(self) -> ClusterView | None:
        """The newest view; does not wait."""
        ...


class LiveHomes:
    """Where breakers are, as any living handle of this process sees it."""

    def __init__(self, supervisor: str) -> None:
        self._administrator = Administrator(self._leader, supervisor)
        self.connections: list[Connection] = []

    def owner_of(self, name: str) -> str | None:
        """See `remote.Homes`."""
        view, own_max = self._view()
        if view is None:
            return None
        home = home_of(name, (child.key for child in view.children), own_max=own_max)
        found = next((child for child in view.children if child.key == home), None)
        return found.name if found is not None and found.status == "running" else None

    def want(self, name: str) -> None:
        """See `remote.Homes`."""
        view, own_max = self._view()
        if view is None:
            return
        keys = [child.key for child in view.children]
        if home_of(name, keys, own_max=own_max) in keys:
            return  # it is on its way
        answer = self._administrator.request(uuid4().hex, r.House(breaker=name, own_max=own_max), timeout_s=HOUSED_S)
        if answer is not None:
            raise_problem(answer, f"breaker {name}")

    def owners(self) -> list[str]:
        """The full names of all owners that run."""
        view, _ = self._view()
        children = () if view is None else view.children
        return [child.name for child in children if is_owner(child.key) and child.status == "running"]

    def _view(self) -> tuple[ClusterView | None, int]:
        for connection in reversed(self.connections):
            view = connection.view()
            if view is not None:
                return view, connection.own_max
        return None, 0

    def _leader(self) -> Any:
        return next((leader for each in reversed(self.connections) if (leader := each.leader()) is not None), None)


class _Shared:
    """The link of one supervisor, and where its breakers are."""

    def __init__(self, supervisor: str) -> None:
        self.homes = LiveHomes(supervisor)
        self.link = RayLink(
            supervisor,
            self.homes,
            recipe=partial(link_of, supervisor),
            node_id=str(ray.get_runtime_context().get_node_id()),
            board=Noticeboard(partial(board_path, supervisor)),
        )


_SHARED: dict[str, _Shared] = {}
_LOCK = threading.Lock()


def connect(connection: Connection) -> tuple[RayLink, LiveHomes]:
    """The process's link, which lives as long as any handle does that is connected to it."""
    with _LOCK:
        shared = _SHARED.get(connection.name)
        if shared is None:
            shared = _SHARED[connection.name] = _Shared(connection.name)
        if connection not in shared.homes.connections:
            shared.homes.connections.append(connection)
        return shared.link, shared.homes


def stir(supervisor: str) -> None:
    """Something was announced: an owner that is waited for may run."""
    shared = _SHARED.get(supervisor)
    if shared is not None:
        shared.link.stir()


def disconnect(connection: Connection) -> None:
    """A handle ends; with the last one the link does, and its breakers go on by local rules."""
    with _LOCK:
        shared = _SHARED.get(connection.name)
        if shared is None or connection not in shared.homes.connections:
            return
        if len(shared.homes.connections) > 1:
            shared.homes.connections.remove(connection)
            return
        del _SHARED[connection.name]
    REGISTRY.forget(connection.name)
    with suppress(RayError):
        shared.link.stop()
    shared.homes.connections.clear()


def link_of(supervisor: str) -> OwnerLink:
    """The link of a process in which a breaker's handle arrives."""
    with _LOCK:
        shared = _SHARED.get(supervisor)
    if shared is not None:
        return shared.link
    from supervisor.handle import Supervisor  # noqa: PLC0415 - handles of the supervisor make links

    return Supervisor.of_process(supervisor).breaker_link
