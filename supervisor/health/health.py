"""`sup.health`: what is watched, and how it stands."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ray.exceptions import RayError

from actors.health.packing import pack_probe
from actors.health.probes.heartbeats import HeartbeatProbe
from actors.health.published import STANDING, HealthStanding
from actors.health.settings import ProbeKind, ProbeSettings
from actors.runtime.errors import ConfigError
from supervisor.health.changes import HealthChanges

if TYPE_CHECKING:
    from actors.health.report import Check, ComponentHealth, SystemHealth
    from actors.health.running import RunnerStatistics
    from actors.service.client import ServiceClient
    from actors.service.follower import StateFollower

Probe = Callable[[], Any]

_SOURCE = "health.register"


class Health:
    """One process's. Any thread; for coroutines each call that waits has one that begins with `a`.

    Args:
        client: The way to the monitor.
    """

    def __init__(self, client: ServiceClient) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._followers: dict[str, StateFollower] = {}
        self._streams: list[HealthChanges] = []

    # -- what is watched ----------------------------------------------------------------------------------------------

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
        self._client.change("register", *self._checked(locals()))

    async def aregister(  # noqa: PLR0913 - the same
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
        """`register` for a coroutine."""
        await self._client.achange("register", *self._checked(locals()))

    def unregister(self, name: str, *, kind: ProbeKind | None = None) -> bool:
        """Watch a component no more, or by no probe of that kind; whether there was one.

        Raises:
            ServiceUnreachableError: The monitor did not answer.
        """
        return bool(self._client.change("unregister", name, kind))

    async def aunregister(self, name: str, *, kind: ProbeKind | None = None) -> bool:
        """`unregister` for a coroutine."""
        return bool(await self._client.achange("unregister", name, kind))

    def beat(self, name: str) -> bool:
        """A component says that it lives, for `probes.heartbeat()`; does not wait. False: no monitor runs now."""
        try:
            monitor = self._client.handle()
            if monitor is None:
                return False
            monitor.beat.remote(name)
        except (RayError, RuntimeError):
            return False
        return True

    def start(self) -> None:
        """Have everything watched (again), and wait until the monitor runs. Nobody has to: registering does it.

        Raises:
            ServiceUnreachableError: It does not come up.
        """
        self._client.change("switch", stopped=False)

    async def astart(self) -> None:
        """`start` for a coroutine."""
        await self._client.achange("switch", stopped=False)

    def stop(self) -> None:
        """Have nothing watched until `start`: what was known is not known any more. Registrations stay.

        Raises:
            ServiceUnreachableError: The monitor did not answer.
        """
        self._client.change("switch", stopped=True)

    async def astop(self) -> None:
        """`stop` for a coroutine."""
        await self._client.achange("switch", stopped=True)

    def is_running(self) -> bool:
        """Whether a monitor runs now; asks nobody."""
        return self._client.is_running()

    # -- how it stands ------------------------------------------------------------------------------------------------

    def report(self) -> SystemHealth:
        """All components, and the system's score and trend.

        Raises:
            ServiceUnreachableError: The monitor did not answer; `standing()` says what was last known.
        """
        return self._client.ask("report")

    async def areport(self) -> SystemHealth:
        """`report` for a coroutine."""
        return await self._client.aask("report")

    def component(self, name: str) -> ComponentHealth:
        """One component.

        Raises:
            UnknownComponentError: Nobody has registered it; the message names those that there are.
            ServiceUnreachableError: The monitor did not answer.
        """
        return self._client.ask("component", name)

    async def acomponent(self, name: str) -> ComponentHealth:
        """`component` for a coroutine."""
        return await self._client.aask("component", name)

    def history(self, name: str, *, since_s: float | None = None) -> tuple[Check, ...]:
        """A component's checks, the latest last.

        Args:
            name: The component.
            since_s: Only those that ended in the last so many seconds.

        Raises:
            UnknownComponentError: Nobody has registered it.
            ServiceUnreachableError: The monitor did not answer.
        """
        return self._client.ask("history", name, since_s)

    async def ahistory(self, name: str, *, since_s: float | None = None) -> tuple[Check, ...]:
        """`history` for a coroutine."""
        return await self._client.aask("history", name, since_s)

    def standing(self) -> HealthStanding | None:
        """How things stand in short, as it lies on this node's board; asks nobody. None before a monitor ever ran."""
        replica = self._follower(STANDING).look()
        return None if replica is None else pickle.loads(replica.payload)  # noqa: S301 - our own monitor made it

    def statistics(self) -> RunnerStatistics:
        """What the monitor's own threads and loop are doing; whose probes hang.

        Raises:
            ServiceUnreachableError: The monitor did not answer.
        """
        return self._client.ask("statistics")

    def subscribe(self) -> HealthChanges:
        """Changes from now on, for `for` and `async for`; close it when it is no longer read."""
        stream = HealthChanges(self._forget)
        with self._lock:
            self._streams.append(stream)
        stream.attach(self._client)
        return stream

    def close(self) -> None:
        """Let go of who iterates over changes."""
        for stream in list(self._streams):
            stream.close()

    def _forget(self, stream: HealthChanges) -> None:
        with self._lock:
            if stream in self._streams:
                self._streams.remove(stream)

    def _follower(self, topic: str) -> StateFollower:
        with self._lock:
            follower = self._followers.get(topic)
            if follower is None:
                follower = self._followers[topic] = self._client.follow(topic)
            return follower

    @staticmethod
    def _checked(given: dict[str, Any]) -> tuple[ProbeSettings, bytes]:
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
