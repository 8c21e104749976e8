"""Tells the degradation's owner how full a handle's queues are."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ray.exceptions import RayError

from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.vital_threads import steady_thread
from supervisor.degradation.fullness import Fullness

if TYPE_CHECKING:
    from actors.service.client import ServiceClient
    from supervisor.tasks.dispatcher import Dispatcher

LOOK_S = 0.25


class PressureReporter:
    """One handle's.

    Args:
        dispatchers: Whose queues, by pool.
        limit: How many unfinished tasks a queue takes.
        client: Gives the way to the owner.
    """

    def __init__(self, dispatchers: Mapping[str, Dispatcher], limit: int, client: Callable[[], ServiceClient]) -> None:
        self._dispatchers = dispatchers
        self._client = client
        self._fullness = Fullness(limit)
        self._source = f"queues of {uuid4().hex[:12]}"
        self._stopped = threading.Event()
        self._thread = steady_thread(self._run, name="supervisor-pressure")
        self._thread.start()

    def stop(self) -> None:
        """Tell no more; what was told ends with its time."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(LOOK_S):
            unfinished = {pool: dispatcher.unfinished for pool, dispatcher in list(self._dispatchers.items())}
            told = self._fullness.to_tell(unfinished, SYSTEM_CLOCK.now())
            if told:
                self._tell({("queue_pressure", pool): share for pool, share in told.items()})

    def _tell(self, signals: Mapping[Any, float]) -> None:
        try:
            owner = self._client().handle()
            if owner is not None:
                owner.ask.remote("observe", (self._source, signals), {})
        except (RayError, RuntimeError):
            return  # out of reach: it is told again
