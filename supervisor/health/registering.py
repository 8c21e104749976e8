"""What users say of a probe: checked here, all that is wrong at once, then watched alone or with many others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from asyncio import wrap_future
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

from actors.health.packing import pack_probe
from actors.health.probes.heartbeats import HeartbeatProbe
from actors.health.settings import ProbeKind, ProbeSettings
from actors.runtime.errors import ConfigError

if TYPE_CHECKING:
    from actors.service.client import ServiceClient

Probe = Callable[[], Any]

Registration = tuple[ProbeSettings, bytes]
"""What is said of a probe, and the packed probe."""

_SOURCE = "health.register"


class Registrar(ABC):
    """Whoever takes registrations.

    Attributes:
        client: The way to the monitor.
    """

    client: ServiceClient

    @abstractmethod
    def take(self, registration: Registration) -> None:
        """What is said of one probe is whole."""

    def register(  # noqa: PLR0913 - one argument for each thing that is said of a probe
        self,
        name: str,
        probe: Probe,
        *,
        kind: ProbeKind = "liveness",
        interval_s: float,
        timeout_s: float,
        failures: int = 3,
        successes: int = 1,
        weight: float = 1.0,
        critical: bool = False,
        depends_on: str | Sequence[str] = (),
        on: str | None = None,
        delay_s: float = 0.0,
    ) -> None:
        """Have a component watched from now on, whatever becomes of this process; one of the same kind is replaced.

        Args:
            name: The component. One that has a supervised child's name is that child: it is replaced when a startup or
                liveness probe fails.
            probe: A callable without arguments, sync or async, or one of `probes.*`. None and True are well, False is
                not, a number from 0 to 100 is a score, and (one of these, words) says why. Raising is not well.
            kind: As with Kubernetes. "startup": no other runs until it has passed. "liveness": failing means dead.
                "readiness": failing means that it is not to be used now.
            interval_s: From the start of one check to that of the next, seconds.
            timeout_s: A check that takes longer has failed, seconds.
            failures: So many failed checks in a row mean failing.
            successes: So many good checks in a row mean passing.
            weight: The component's share of the system's score.
            critical: The system is never better than it.
            depends_on: Components without which it cannot be well.
            on: Where the probe runs: None (by the monitor), `node:<id>`, `child:<name>` or `every_node`.
            delay_s: No check before this time has passed, seconds.

        Raises:
            ConfigError: It cannot be so; every wrong field is named, or the ring of dependencies.
            ServiceUnreachableError: The monitor did not answer; it may or may not be watched.
        """
        self.take(_checked(locals()))


class Registrations(Registrar):
    """Probes that are registered together, at the end of a `with`: a thousand in a second.

    Each that cannot be is named then, and the others are watched. What raises in the `with` registers none.

    Args:
        client: The way to the monitor.
    """

    def __init__(self, client: ServiceClient) -> None:
        self.client = client
        self._all: list[Registration] = []

    def take(self, registration: Registration) -> None:
        """See `Registrar`: it waits for the end."""
        self._all.append(registration)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, traceback: object) -> None:
        if kind is None:
            self._send()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: object, traceback: object) -> None:
        if kind is None:
            await wrap_future(self.client.in_thread(self._send))

    def _send(self) -> None:
        if self._all:
            self.client.change("register", tuple(self._all))


def _checked(given: dict[str, Any]) -> Registration:
    """The settings and the packed probe; every wrong field is named at once."""
    fields = {field: value for field, value in given.items() if field not in ("self", "name", "probe")}
    probe: Any = given["probe"]
    if isinstance(probe, HeartbeatProbe):
        fields["phi"] = probe.phi
    problems: tuple[str, ...] = ()
    settings, packed = None, None
    try:
        settings = ProbeSettings.parse(fields | {"component": given["name"]}, source=_SOURCE)
    except ConfigError as error:
        problems += error.problems
    try:
        packed = pack_probe(probe)
    except ConfigError as error:
        problems += error.problems
    if settings is None or packed is None:
        raise ConfigError(_SOURCE, problems=problems)
    return settings, packed
