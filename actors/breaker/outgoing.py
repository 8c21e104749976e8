"""What a circuit has to say to others: reports to the owner, transitions to subscribers, remarks to the log.

It is gathered under the circuit's lock, and said under none. One thread at a time says it, so that all is heard in
order; whoever finds another one at it leaves what there is to that one, and does not wait.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from actors.breaker.definitions import warn_of_difference
from actors.runtime.stream import EventStream

if TYPE_CHECKING:
    from actors.breaker import messages as m
    from actors.breaker.link import OwnerLink
    from actors.breaker.settings import BreakerSettings
    from actors.breaker.sighting import Transition


class Outgoing:
    """What one circuit has to say.

    Attributes:
        reports: For the owner, in order; each item is told in one call.
        news: For subscribers.
        remarks: Settings that stand and others that were given.

    Args:
        name: The breaker.
        link: The way to its owner.
    """

    def __init__(self, name: str, link: OwnerLink) -> None:
        self._name = name
        self._link = link
        self._streams: list[EventStream[Transition]] = []
        self.begin_anew()

    def begin_anew(self) -> None:
        """In a forked child: what waited here is said by the parent; subscribers are this process's own."""
        self._sending = threading.Lock()
        self.reports: deque[tuple[m.Event, ...]] = deque()
        self.news: deque[Transition] = deque()
        self.remarks: deque[tuple[BreakerSettings, BreakerSettings]] = deque()

    def subscribe(self) -> EventStream[Transition]:
        """Every transition from now on; under the circuit's lock."""
        stream: EventStream[Transition] = EventStream()
        self._streams = [each for each in self._streams if not each.closed] + [stream]
        return stream

    def deliver(self) -> None:
        """Say all that there is."""
        while self.reports or self.news:
            if not self._sending.acquire(blocking=False):
                break  # whoever is sending looks again after it
            try:
                self._send()
            finally:
                self._sending.release()
        with suppress(IndexError):  # several threads take of them, each until there are none
            while self.remarks:
                warn_of_difference(self._name, *self.remarks.popleft())

    def _send(self) -> None:
        while self.reports:
            self._link.tell(self._name, self.reports.popleft())
        while self.news:
            news = self.news.popleft()
            for stream in self._streams:
                stream.put(news)
