"""This process's way to the breakers of a supervisor: one link, however many handles of the supervisor there are."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import ray

from actors.breaker.names import NAMES_MAX
from actors.breaker.noticeboard import Noticeboard
from actors.breaker.registry import REGISTRY
from actors.breaker.remote import RayLink
from actors.runtime.node import board_path, own_board_path
from actors.service.finding import HOUSED_S
from supervisor import requests as r
from supervisor.breakers.homes import home_of, is_owner
from supervisor.services.process import of_process

if TYPE_CHECKING:
    from actors.breaker.link import OwnerLink
    from supervisor.services.process import Connections, ProcessServices

RESIDENT = "breakers"


class LiveHomes:
    """Where breakers are, as any living handle of this process sees it."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def owner_of(self, name: str) -> str | None:
        """See `actors.service.finding.Homes`."""
        seen = self._connections.view()
        if seen is None:
            return None
        view, config = seen
        home = home_of(name, (child.key for child in view.children), own_max=config.breaker_actors_max)
        found = next((child for child in view.children if child.key == home), None)
        return found.name if found is not None and found.status == "running" else None

    def want(self, name: str, timeout_s: float = HOUSED_S) -> None:
        """See `actors.service.finding.Homes`."""
        seen = self._connections.view()
        if seen is None:
            return
        view, config = seen
        keys, own_max = [child.key for child in view.children], config.breaker_actors_max
        if home_of(name, keys, own_max=own_max) in keys:
            return  # it is on its way
        self._connections.ask(r.House(breaker=name, own_max=own_max), subject=f"breaker {name}", timeout_s=timeout_s)

    def names_max(self) -> int:
        """How many breakers the cluster may have."""
        seen = self._connections.view()
        return NAMES_MAX if seen is None else seen[1].breaker_names_max

    def owners(self) -> list[str]:
        """The full names of all owners that run."""
        seen = self._connections.view()
        children = () if seen is None else seen[0].children
        return [child.name for child in children if is_owner(child.key) and child.status == "running"]


class ProcessBreakers:
    """The link of one supervisor in this process, and where its breakers are."""

    def __init__(self, connections: Connections) -> None:
        self._supervisor = connections.supervisor
        self.homes = LiveHomes(connections)
        self.link = RayLink(
            self._supervisor,
            self.homes,
            recipe=partial(link_of, self._supervisor),
            node_id=str(ray.get_runtime_context().get_node_id()),
            board=Noticeboard(partial(_board, self._supervisor)),
        )

    def stir(self) -> None:
        """Something was announced: an owner that is waited for may run."""
        self.link.stir()

    def stop(self) -> None:
        """The last handle ends, and with it the link; its breakers go on by local rules."""
        REGISTRY.forget(self._supervisor)
        self.link.stop()


def _board(supervisor: str, owner: str | None) -> Path:
    return board_path(supervisor) if owner is None else own_board_path(supervisor, owner)


def breakers_of(services: ProcessServices) -> ProcessBreakers:
    """This process's, made with the first use."""
    return services.resident(RESIDENT, ProcessBreakers)


def link_of(supervisor: str) -> OwnerLink:
    """The link of a process in which a breaker's handle arrives."""
    return breakers_of(of_process(supervisor)).link
