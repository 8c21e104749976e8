"""A subscriber's side of incidents: an iterable of changes that goes on over every life of the coordinator."""

from __future__ import annotations

import pickle
import threading
from typing import TYPE_CHECKING

from actors.healer.phases import PHASES, IncidentChange, news
from actors.runtime.stream import EventStream

if TYPE_CHECKING:
    from actors.runtime.replicated import Replica
    from actors.service.client import ServiceClient


class IncidentSubscription(EventStream[IncidentChange]):
    """Iterates over changes of incidents' phases; see `EventStream`.

    Args:
        client: The way to the coordinator.
    """

    def __init__(self, client: ServiceClient) -> None:
        super().__init__()
        self._client = client
        self._taking = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._follower = client.follow(PHASES, self._take)
        with self._taking:
            if self._seen is None:
                self._seen = (0, 0)

    def close(self) -> None:
        """See `EventStream`."""
        super().close()
        self._client.unfollow(self._follower)

    def _take(self, replica: Replica) -> None:
        laid = pickle.loads(replica.payload)  # noqa: S301 - our own coordinator laid it
        with self._taking:
            found = [] if self._seen is None else news(laid, self._seen)
            self._seen = laid[-1][:2] if laid else self._seen
        for change in found:
            self.put(change)
