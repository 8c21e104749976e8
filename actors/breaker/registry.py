"""All circuits of this process: one per name and supervisor, however many handles there are.

Two definitions of one name meet here, handles that arrive pickled find their circuit here, and a forked child begins
anew here: its circuits have an identity of their own, because what the parent holds it does not hold.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any

from actors.breaker.errors import TooManyBreakersError
from actors.breaker.keeper import Keeper
from actors.breaker.local_link import LocalLink
from actors.breaker.names import NAMES_MAX, checked_name
from actors.breaker.settings import BreakerSettings
from actors.breaker.surroundings import Surroundings
from actors.breaker.travelling import TravellingCircuit
from actors.runtime.asker import host
from actors.runtime.clock import SYSTEM_CLOCK, Clock
from actors.runtime.errors import ConfigError
from actors.runtime.id_source import IdSource

if TYPE_CHECKING:
    from actors.breaker.chance import Chance
    from actors.breaker.circuit import Circuit
    from actors.breaker.link import OwnerLink

EXAMPLES = 3


def identity() -> str:
    """A text for this process that no other has, and that people can read: host, pid, and a few digits of chance."""
    return f"{host()}/{os.getpid()}/{IdSource().client_id()}"


class Registry:
    """The circuits of one process.

    Attributes:
        process: This process's text.
        local_link: The way to breakers of this process alone.

    Args:
        clock: Where the time comes from.
        rng: The source of chance.
        keeper: Who looks after what is due.
        names_max: Breakers at most.
    """

    def __init__(
        self,
        *,
        clock: Clock = SYSTEM_CLOCK,
        rng: Chance | None = None,
        keeper: Keeper | None = None,
        names_max: int = NAMES_MAX,
    ) -> None:
        self.process = identity()
        self.keeper = keeper if keeper is not None else Keeper(clock=clock)
        self._clock = clock
        self._rng: Chance = rng if rng is not None else Random()  # noqa: S311 - jitter, no secret
        self._names_max = names_max
        self._lock = threading.RLock()
        self._circuits: dict[tuple[str, str], Circuit] = {}
        self.local_link = LocalLink(clock=clock, rng=self._rng, keeper=self.keeper)
        self._links: dict[str, OwnerLink] = {self.local_link.supervisor: self.local_link}

    def local(self, name: str, settings: BreakerSettings | None = None) -> Circuit:
        """The circuit of a breaker of this process alone; see `circuit`."""
        return self.circuit(self.local_link, name, settings)

    def circuit(self, link: OwnerLink, name: str, settings: BreakerSettings | None = None) -> Circuit:
        """The circuit of a name; made at the first use, and the same for every later one.

        Args:
            link: The way to its owner; the first of a supervisor stays.
            name: The breaker.
            settings: Its definition, if nobody defined it before, also if it was used without one; a later one that
                differs is told in a warning.
        Raises:
            ConfigError: That is no name, or those are no settings.
            TooManyBreakersError: There are `names_max` already, or as many as the owners at the link's end take.
        """
        checked_name(name)
        check_kind(name, settings)
        link.check(name)
        return self._circuit(link, name, settings)

    def _circuit(self, link: OwnerLink, name: str, settings: BreakerSettings | None = None) -> Circuit:
        with self._lock:
            link = self._links.setdefault(link.supervisor, link)
            circuit = self._circuits.get((link.supervisor, name))
            if circuit is None:
                self._check_room(link, name)
        if circuit is None:
            made = self._make(link, name, settings)
            circuit = self._publish(made)
            if circuit is made:
                return circuit
        if settings is not None:
            circuit.define(settings)
        return circuit

    def arrived(self, supervisor: str, name: str, recipe: Callable[[], OwnerLink]) -> Circuit:
        """The circuit of a handle that came from another process; `recipe` makes the link if there is none."""
        with self._lock:
            link = self._links.get(supervisor)
            found = self._circuits.get((supervisor, name))
        if found is not None:
            return found
        return self._circuit(recipe() if link is None or link is self.local_link else link, name)

    def forget(self, supervisor: str) -> None:
        """The link of a supervisor ends: its circuits are told of no more, and a later link begins with new ones."""
        with self._lock:
            self._links.pop(supervisor, None)
            ended = [circuit for (owner, _), circuit in self._circuits.items() if owner == supervisor]
            for circuit in ended:
                del self._circuits[supervisor, circuit.name]
        for circuit in ended:
            circuit.end()

    def circuits(self, supervisor: str) -> tuple[Circuit, ...]:
        """Those of one supervisor."""
        with self._lock:
            return tuple(circuit for (owner, _), circuit in self._circuits.items() if owner == supervisor)

    def flush(self) -> None:
        """Tell all owners what was gathered; at the end of the process."""
        with self._lock:
            circuits = tuple(self._circuits.values())
        for circuit in circuits:
            circuit.flush()

    def forked(self) -> None:
        """This is the forked child."""
        former, self.process = self.process, identity()
        self._lock = threading.RLock()
        self.keeper.begin_anew()
        if isinstance(self._rng, Random):
            self._rng.seed()  # else all forked workers wait for the same time, and probe at once
        for link in self._links.values():
            link.forked(former, self.process)
        for circuit in self._circuits.values():
            circuit.reborn(self.process)

    def _check_room(self, link: OwnerLink, name: str) -> None:
        """Of breakers of this process alone; how many there are of a cluster is for its link to say."""
        if link is not self.local_link or len(self._circuits) < self._names_max:
            return
        here = [known for supervisor, known in self._circuits if supervisor == link.supervisor]
        if len(here) >= self._names_max:
            examples = tuple(here[-EXAMPLES:])
            raise TooManyBreakersError(name, limit=self._names_max, scope="this process", examples=examples)

    def _make(self, link: OwnerLink, name: str, settings: BreakerSettings | None) -> Circuit:
        """Under no lock: users' functions and classes among the settings are pickled, and their modules imported."""
        surroundings = Surroundings(process=self.process, clock=self._clock, rng=self._rng, keeper=self.keeper)
        return TravellingCircuit(name, link, settings, surroundings)

    def _publish(self, made: Circuit) -> Circuit:
        """Of what several threads made of one name the first is the circuit, and the others end."""
        supervisor, name = made.link.supervisor, made.name
        with self._lock:
            if self._links.get(supervisor) is not made.link:
                return made  # the link has ended meanwhile: it goes on by local rules, known to nobody
            if (supervisor, name) not in self._circuits:
                self._check_room(made.link, name)
            stands = self._circuits.setdefault((supervisor, name), made)
        if stands is not made:
            made.end()
        return stands


def check_kind(name: str, settings: Any) -> None:
    """Settings are BreakerSettings, or none.

    Raises:
        ConfigError: They are not.
    """
    if settings is not None and not isinstance(settings, BreakerSettings):
        problem = (
            f"must be BreakerSettings, not {type(settings).__name__}; write them as "
            "BreakerSettings(failure_rate=0.5, open_s=5)"
        )
        raise ConfigError(f"settings of breaker {name!r}", problems=(problem,))


REGISTRY = Registry()
"""This process's."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=REGISTRY.forked)
atexit.register(REGISTRY.flush)
