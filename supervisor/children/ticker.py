"""One thread for all children that this process calls: it looks for news, and serves timers.

It rests while nothing is unanswered. After a death it looks for the supervisor's next view every third of a
millisecond: how soon it sees that is how soon the next incarnation gets the calls.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from actors.runtime.clock import Clock, sleep
from actors.runtime.vital_threads import steady_thread

TICK_S = 0.005
HURRY_S = 0.0003
HURRY_FOR_S = 1.0
IDLE_TICKS = 200
"""Ticks without calls after which it sleeps until the next one."""


class Ticked(Protocol):
    """Whoever has timers, and calls on their way."""

    @property
    def busy(self) -> bool:
        """Whether it wants to be ticked."""
        ...

    def tick(self) -> None:
        """Time has passed."""
        ...


class Ticker:
    """Ticks those who asked for it while they are busy.

    Args:
        look: Called on every tick; it must be cheap when there is no news.
    """

    def __init__(self, look: Callable[[], None], clock: Clock) -> None:
        self._look = look
        self._clock = clock
        self._lock = threading.Lock()
        self._ticked: dict[Ticked, None] = {}
        self._awake = threading.Event()
        self._hurried = threading.Event()
        self._hurry_until = float("-inf")
        self._closed = False
        self._thread: threading.Thread | None = None

    def wake(self, ticked: Ticked) -> None:
        """Tick this one until it is busy no more."""
        if ticked not in self._ticked:
            with self._lock:
                self._ticked[ticked] = None
                if self._thread is None:
                    self._thread = steady_thread(self._run, name="supervisor-calls")
                    self._thread.start()
        if not self._awake.is_set():
            self._awake.set()

    def hurry(self) -> None:
        """News is to be expected any moment."""
        self._hurry_until = self._clock.now() + HURRY_FOR_S
        self._hurried.set()

    def close(self) -> None:
        """Tick nobody any more."""
        self._closed = True
        self._hurried.set()
        self._awake.set()

    def _run(self) -> None:
        idle = 0
        while not self._closed:
            idle = 0 if self._ticked else idle + 1
            if idle > IDLE_TICKS:
                self._awake.clear()
                if not self._ticked:
                    self._awake.wait()
            self._rest()
            self._look()
            self._tick()

    def _tick(self) -> None:
        """Apart from the loop: a name there would hold the last one for ever."""
        for ticked in list(self._ticked):
            ticked.tick()
            if not ticked.busy:
                self._drop(ticked)

    def _rest(self) -> None:
        if self._ticked and self._clock.now() < self._hurry_until:
            sleep(HURRY_S)
        elif self._hurried.wait(TICK_S):
            self._hurried.clear()

    def _drop(self, ticked: Ticked) -> None:
        with self._lock:
            self._ticked.pop(ticked, None)
        if ticked.busy:  # it became so just now, and saw itself still here
            self.wake(ticked)
