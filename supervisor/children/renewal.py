"""Interfaces that are not the announced ones any more, looked up anew."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

from actors.runtime.errors import LeaderUnreachableError
from actors.runtime.vital_threads import steady_thread

if TYPE_CHECKING:
    from supervisor.children.calls import Calls
    from supervisor.children.interface import ChildInterface

AGAIN_S = 0.5
"""How long after a look-up that did not help the next one follows, seconds."""

LookUp = Callable[[Collection[str]], Mapping[str, "ChildInterface"]]
"""The present interfaces of children and pools, by key or path; those that are not there any more are left out."""


def _nothing(_: Collection[str]) -> Mapping[str, ChildInterface]:
    return {}


class Renewal:
    """Looks up what callers need, all of it in one question, on a thread that lives as long as there is something.

    Attributes:
        look_up: Asks the leader; blocks.

    Args:
        find: Finds the calls to a child or pool; None when nobody calls it any more.
    """

    def __init__(self, find: Callable[[str], Calls | None]) -> None:
        self.look_up: LookUp = _nothing
        self._find = find
        self._lock = threading.Lock()
        self._wanted: set[str] = set()
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    def want(self, key: str) -> None:
        """Look this one's interface up; does not wait."""
        with self._lock:
            self._wanted.add(key)
            if self._thread is None and not self._closed.is_set():
                self._thread = steady_thread(self._run, name="supervisor-interfaces")
                self._thread.start()

    def close(self) -> None:
        """Look nothing up any more."""
        self._closed.set()

    def _run(self) -> None:
        while wanted := self._next():
            try:
                found = self.look_up(wanted)
            except LeaderUnreachableError:
                found = None
            for key in wanted:
                self._hand_over(key, found)
            if self._wanted.intersection(wanted):
                self._closed.wait(AGAIN_S)

    def _next(self) -> tuple[str, ...]:
        with self._lock:
            wanted = () if self._closed.is_set() else tuple(self._wanted)
            if not wanted:
                self._thread = None
            return wanted

    def _hand_over(self, key: str, found: Mapping[str, ChildInterface] | None) -> None:
        """It stays wanted if nobody answered, or what was answered is not what has been announced by now."""
        calls = self._find(key)
        if found is not None and calls is not None and key in found:
            calls.take(found[key])
        with self._lock:
            if calls is None or not calls.is_behind or (found is not None and key not in found):
                self._wanted.discard(key)
