"""Changes of health as one process sees them, for whoever subscribes."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from actors.health.published import CHANGES, ChangesSeen, HealthChange
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.stream import EventStream

if TYPE_CHECKING:
    from actors.runtime.replicated import Replica
    from actors.service.client import ServiceClient
    from actors.service.follower import StateFollower


class HealthChanges(EventStream[HealthChange]):
    """Iterates over changes; see `EventStream`. It goes on over the deaths of the monitor.

    `lost` counts changes that were gone from the boards before this process had looked.

    Args:
        on_close: Told once it is closed.
    """

    def __init__(self, on_close: Callable[[Self], None]) -> None:
        super().__init__()
        self._on_close = on_close
        self._taking = threading.Lock()
        self._seen = ChangesSeen()
        self._from_us = 0
        self._client: ServiceClient | None = None
        self._follower: StateFollower | None = None

    @property
    def lost(self) -> int:
        """See the class."""
        return self._seen.missed

    def attach(self, client: ServiceClient) -> None:
        """Follow the monitor."""
        self._client = client
        first = client.follow(CHANGES)
        replica = first.look()
        client.unfollow(first)
        with self._taking:
            self._seen.begin(() if replica is None else pickle.loads(replica.payload))  # noqa: S301 - our own monitor made it
            self._from_us = SYSTEM_CLOCK.wall_us() if replica is None else 0
        self._follower = client.follow(CHANGES, self._take)

    def close(self) -> None:
        """See `EventStream`."""
        super().close()
        if self._client is not None and self._follower is not None:
            self._client.unfollow(self._follower)
        self._on_close(self)

    def _take(self, replica: Replica) -> None:
        laid = pickle.loads(replica.payload)  # noqa: S301 - our own monitor made it
        with self._taking:
            fresh = self._seen.take(laid)
        for change in fresh:
            if change.at_us >= self._from_us:  # where nothing was known, what comes first tells of earlier ones, too
                self.put(change)
