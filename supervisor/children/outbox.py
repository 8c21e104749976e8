"""Things to be done in the order in which they were put in, by one thread at a time, and never under a lock."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class Outbox(Generic[T]):
    """Whoever comes while another thread is at work leaves its things to that one, and goes.

    Args:
        do: Does one thing.
    """

    def __init__(self, do: Callable[[T], None]) -> None:
        self._do = do
        self._things: deque[T] = deque()
        self._working = threading.Lock()
        self._worker: int | None = None

    def put(self, things: Iterable[T]) -> None:
        """Add things; whoever decides on their order holds a lock of its own meanwhile."""
        self._things.extend(things)

    def work(self) -> None:
        """Do what is there, unless somebody is doing it."""
        while self._things and self._working.acquire(blocking=False):
            self._worker = threading.get_ident()
            try:
                while self._things:
                    self._do(self._things.popleft())
            finally:
                self._worker = None
                self._working.release()

    def settle(self) -> None:
        """Do what is there, and wait until what another thread is doing is done; one of the things itself goes on."""
        self.work()
        if self._worker != threading.get_ident():
            with self._working:
                pass
