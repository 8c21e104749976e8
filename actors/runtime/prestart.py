"""Keeps a few worker processes warm on every node, so that a new actor starts in milliseconds.

An actor's process takes 0.5 s to start, and Ray never reuses an idle task worker for an actor. With a warm one, and
`preload_python_modules` as in `supervisor.launch`, a replacement answers 0.05 s after it was asked for. Where this Ray
cannot do that, everything works as before: `WarmWorkers` says so once, and stays quiet.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection

from ray.exceptions import RayError

from actors.runtime.clock import SYSTEM_CLOCK, Clock
from actors.runtime.raylet import Raylet, RayletRefusedError, living_raylets, start_warm_workers
from actors.runtime.vital_threads import steady_thread
from actors.runtime.warm import StartWarm, WarmSettings, WarmStock

LOOK_S = 1.0
"""How soon a node that joins gets its stock, seconds."""


class WarmWorkers:
    """The warm processes of a cluster, kept by one of its actors (or a driver) on a thread of its own.

    Args:
        settings: How many, and for how long.
        tell: Called with a node's first refusal, in words, on this object's thread; for the log.
        inherits: Whether a predecessor kept the same stock; see `WarmStock`.
        avoid: Node ids that get none, asked at every look: those that are being drained.
        clock: For tests.
    """

    def __init__(
        self,
        settings: WarmSettings,
        *,
        tell: Callable[[str], None],
        inherits: bool = False,
        avoid: Callable[[], Collection[str]] = frozenset,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._stock = WarmStock(settings, inherits=inherits)
        self._tell = tell
        self._avoid = avoid
        self._clock = clock
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._told: set[str] = set()
        self._raylets: dict[str, Raylet] = {}
        self.unavailable: str | None = None
        self._thread = steady_thread(self._run, name="supervisor-prestart")

    def start(self) -> None:
        """Begin to fill the stock."""
        self._thread.start()

    def used(self, node_id: str, *, warm: bool) -> None:
        """Note that an actor was started on a node; see `was_warm`. Any thread; returns at once."""
        with self._lock:
            self._stock.used(node_id, warm=warm, now=self._clock.now())
        self._wake.set()

    def held(self, node_id: str) -> int:
        """How many processes that node is believed to hold or to be starting."""
        with self._lock:
            return self._stock.held(node_id)

    def stop(self) -> None:
        """Ask for no more; what is warm ends when its keep-alive does."""
        self._stopped.set()
        self._wake.set()

    def _run(self) -> None:
        while not self._stopped.is_set() and self.unavailable is None:
            self._look()
            with self._lock:
                asked = self._stock.decide(self._clock.now())
            for command in asked:
                self._ask(command)
            self._wake.wait(self._pause_s())
            self._wake.clear()

    def _look(self) -> None:
        try:
            raylets = living_raylets()
            avoided = self._avoid()
        except (RayError, RuntimeError):
            return  # the GCS is away: what is known stands
        self._raylets = {raylet.node_id: raylet for raylet in raylets if raylet.node_id not in avoided}
        with self._lock:
            self._stock.nodes_seen(self._raylets.keys(), self._clock.now())

    def _ask(self, command: StartWarm) -> None:
        try:
            start_warm_workers(self._raylets[command.node_id], command.count, command.keep_alive_s)
        except RayletRefusedError as error:
            with self._lock:
                self._stock.refused(command.node_id, self._clock.now())
            if error.for_good:
                self.unavailable = str(error)
            if error.address not in self._told:
                self._told.add(error.address)
                self._tell(str(error))
        else:
            with self._lock:
                self._stock.accepted(command.node_id)

    def _pause_s(self) -> float:
        with self._lock:
            due = self._stock.next_timer()
        return LOOK_S if due is None else min(LOOK_S, max(0.0, due - self._clock.now()))
