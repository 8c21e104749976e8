"""`sup.health`: what is watched, and how it stands."""

from __future__ import annotations

import pickle
import threading
from typing import TYPE_CHECKING

from ray.exceptions import RayError

from actors.health.published import STANDING, HealthStanding
from actors.runtime.errors import ConfigError
from actors.runtime.settings import shown
from actors.service.twin import twin
from supervisor.health.changes import HealthChanges
from supervisor.health.registering import Registrar, Registration, Registrations

if TYPE_CHECKING:
    from actors.health.report import Check, ComponentHealth, SystemHealth
    from actors.health.running import RunnerStatistics
    from actors.health.settings import ProbeKind
    from actors.service.client import ServiceClient
    from actors.service.follower import StateFollower


class Health(Registrar):
    """One process's. Any thread; for coroutines each call that waits has one that begins with `a`.

    Args:
        client: The way to the monitor.
    """

    def __init__(self, client: ServiceClient) -> None:
        self.client = client
        self._lock = threading.Lock()
        self._followers: dict[str, StateFollower] = {}
        self._streams: list[HealthChanges] = []

    # -- what is watched ----------------------------------------------------------------------------------------------

    def registering(self) -> Registrations:
        """To register many at once: `with sup.health.registering() as batch: batch.register(...)`, or `async with`."""
        return Registrations(self.client)

    def take(self, registration: Registration) -> None:
        """See `Registrar`: it is watched from now on."""
        self.client.change("register", (registration,))

    aregister = twin(Registrar.register)

    def unregister(self, name: str, *, kind: ProbeKind | None = None) -> bool:
        """Watch a component no more, or by no probe of that kind; whether there was one.

        Raises:
            ServiceUnreachableError: The monitor did not answer.
        """
        return bool(self.client.change("unregister", name, kind))

    aunregister = twin(unregister)

    def beat(self, name: str) -> bool:
        """A component says that it lives, for `probes.heartbeat()`; does not wait. False: no monitor runs now."""
        try:
            monitor = self.client.handle()
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
        self.client.change("switch", stopped=False)

    astart = twin(start)

    def stop(self) -> None:
        """Have nothing watched until `start`: what was known is not known any more. Registrations stay.

        Raises:
            ServiceUnreachableError: The monitor did not answer.
        """
        self.client.change("switch", stopped=True)

    astop = twin(stop)

    def is_running(self) -> bool:
        """Whether a monitor runs now; asks nobody."""
        return self.client.is_running()

    # -- how it stands ------------------------------------------------------------------------------------------------

    def report(self) -> SystemHealth:
        """All components, and the system's score and trend.

        Raises:
            ServiceUnreachableError: The monitor did not answer; `standing()` says what was last known.
        """
        return self.client.ask("report")

    areport = twin(report)

    def component(self, name: str) -> ComponentHealth:
        """One component.

        Raises:
            UnknownComponentError: Nobody has registered it; the message names those that there are.
            ServiceUnreachableError: The monitor did not answer.
        """
        return self.client.ask("component", name)

    acomponent = twin(component)

    def history(self, name: str, *, since_s: float | None = None) -> tuple[Check, ...]:
        """A component's checks, the latest last.

        Args:
            name: The component.
            since_s: Only those that ended in the last so many seconds.

        Raises:
            UnknownComponentError: Nobody has registered it.
            ConfigError: `since_s` is no number of seconds.
            ServiceUnreachableError: The monitor did not answer.
        """
        if since_s is not None and not (type(since_s) in (int, float) and since_s >= 0):
            problem = f"since_s: {shown(since_s)} is none; give the seconds to look back over, or leave it out"
            raise ConfigError("health.history", problems=(problem,))
        return self.client.ask("history", name, since_s)

    ahistory = twin(history)

    def standing(self) -> HealthStanding | None:
        """How things stand in short, and how old that is, as it lies on this node's board; asks nobody.

        Returns: None before a monitor ever ran. It is `blind` when it is so old that its monitor must be dead.
        """
        follower = self._follower(STANDING)
        replica = follower.look()
        if replica is None:
            return None
        standing: HealthStanding = pickle.loads(replica.payload)  # noqa: S301 - our own monitor made it
        return standing.aged(follower.age_s)

    def statistics(self) -> RunnerStatistics:
        """What the monitor's own threads and loop are doing; whose probes hang.

        Raises:
            ServiceUnreachableError: The monitor did not answer.
        """
        return self.client.ask("statistics")

    astatistics = twin(statistics)

    def subscribe(self) -> HealthChanges:
        """Changes from now on, for `for` and `async for`; close it when it is no longer read."""
        stream = HealthChanges(self._forget)
        with self._lock:
            self._streams.append(stream)
        stream.attach(self.client)
        return stream

    asubscribe = twin(subscribe)

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
                follower = self._followers[topic] = self.client.follow(topic)
            return follower
