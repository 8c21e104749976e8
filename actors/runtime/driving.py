"""Lets a machine decide, one event at a time and when its time has come, and has what it wants carried out in order."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, Protocol, TypeVar

from actors.runtime.clock import Clock, sleep

_LOG = logging.getLogger("supervisor.driving")

_LOOK_S = 0.5
"""A clock that was set or a machine that was put to sleep is noticed within this time, seconds."""

E_contra = TypeVar("E_contra", contravariant=True)
C_co = TypeVar("C_co", covariant=True)
Event = TypeVar("Event")
Command = TypeVar("Command")
Answer = TypeVar("Answer")


class Machine(Protocol[E_contra, C_co]):
    """What decides."""

    def handle(self, event: E_contra, now: float) -> Iterable[C_co]:
        """What follows from `event` at `now`, monotonic seconds."""
        ...

    def next_timer(self) -> float | None:
        """When it wants to be told that time has passed, monotonic seconds, or None."""
        ...


class Driver(Generic[Event, Command]):
    """One machine's.

    Args:
        machine: It decides; nobody else calls it.
        carry_out: Does what one command says, one at a time. It must not block: what takes time goes on elsewhere.
        time_passed: The event that its timer stands for.
        clock: Where the time comes from.
        name: The thread's.
    """

    def __init__(
        self,
        machine: Machine[Event, Command],
        carry_out: Callable[[Command], None],
        *,
        time_passed: Event,
        clock: Clock,
        name: str,
    ) -> None:
        self._machine = machine
        self._carry_out = carry_out
        self._time_passed = time_passed
        self._clock = clock
        self._lock = threading.Lock()
        self._timer = threading.Condition(self._lock)
        self._is_carrying = False
        self._wanted: deque[Command] = deque()
        self._wake_at = float("inf")
        self._ended = False
        self._thread = threading.Thread(target=self._keep_time, name=name, daemon=True)

    def start(self) -> None:
        """Begin to keep its time."""
        self._thread.start()

    def stop(self) -> None:
        """Keep its time no more."""
        with self._timer:
            self._ended = True
            self._timer.notify_all()

    def tell(self, *events: Event) -> None:
        """These have happened; what follows is begun, by this thread or by the one that is at it already."""
        with self._lock:
            for event in events:
                self._wanted += self._machine.handle(event, self._clock.now())
            due = self._machine.next_timer()
            if due is not None and due < self._wake_at:
                self._timer.notify_all()
        self._carry_on()

    def ask(self, question: Callable[[], Answer]) -> Answer:
        """What the machine answers, between two events."""
        with self._lock:
            return question()

    def _carry_on(self) -> None:
        with self._lock:
            if self._is_carrying:
                return
            self._is_carrying = True
        while True:
            with self._lock:
                if not self._wanted:
                    self._is_carrying = False
                    return
                command = self._wanted.popleft()
            try:
                self._carry_out(command)
            except Exception:  # noqa: BLE001 - what could not be done is logged, and holds nothing else up
                _LOG.exception("%s could not be carried out", type(command).__name__)

    def _keep_time(self) -> None:
        while True:
            with self._timer:
                if self._ended:
                    return
                now = self._clock.now()
                due = self._machine.next_timer()
                self._wake_at = now + _LOOK_S if due is None else min(due, now + _LOOK_S)
                if self._wake_at > now:
                    self._timer.wait(self._wake_at - now)
                self._wake_at = float("inf")
                due = self._machine.next_timer()
                is_due = due is not None and due <= self._clock.now() and not self._ended
            if is_due:
                try:
                    self.tell(self._time_passed)
                except Exception:  # noqa: BLE001 - a defect that one timer meets must not stop the clock of all others
                    _LOG.exception("%s: its machine failed as time passed; it goes on", self._thread.name)
                    sleep(_LOOK_S)
