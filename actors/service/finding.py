"""Finding the owners of names, and hearing of their deaths.

missing --the supervisor has one running--> found --a call of ours at it fails--> missing
    +--there is none: it is asked for, on another thread--^
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Protocol

import ray
from ray.exceptions import ActorDiedError, RayError

from actors.runtime.errors import SupervisorError
from actors.runtime.ids import NAMESPACE
from actors.runtime.replies import when_answered
from actors.runtime.vital_threads import steady_thread

HOUSED_S = 20.0
"""How long the leader may take to start an owner before it is asked again, seconds."""

AGAIN_S = 0.02
WATCH_AGAIN_S = 0.1
DEAD_MAX = 1000
"""Lives of owners that are known to be over, while a view may still name them."""


Lookup = Callable[[str], Any]
"""The handle of the actor of this full name; ValueError: there is none."""

named_actor: Lookup = partial(ray.get_actor, namespace=NAMESPACE)


class Homes(Protocol):
    """The port to the supervisor: which actor owns a name. Any thread."""

    def owner_of(self, name: str) -> str | None:
        """The full name of the actor that owns it now; None while there is none."""
        ...

    def want(self, name: str, timeout_s: float = HOUSED_S) -> None:
        """See to it that there is one; blocks as long as the leader takes, `timeout_s` at most."""
        ...


class Finder:
    """One process's.

    Args:
        homes: Who knows where owners are.
        process: Under which text this process watches them.
        found: Called with a name, its owner's full name, and its handle.
        died: Called with the full name of an owner that was found and is dead; whoever wants to asks for its names.
        concern: What its threads are named after.
        lookup: Finds an actor.
    """

    def __init__(
        self,
        homes: Homes,
        process: str,
        found: Callable[[str, str, Any], None],
        died: Callable[[str], None],
        *,
        concern: str,
        lookup: Lookup = named_actor,
    ) -> None:
        self._lookup = lookup
        self._concern = concern
        self._homes = homes
        self._process = process
        self._found = found
        self._died = died
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._missing: dict[str, None] = {}
        self._wanted: dict[str, None] = {}
        self._dead: dict[str, None] = {}
        self._handles: dict[str, Any] = {}
        self._stopped = False
        self._starters = ThreadPoolExecutor(2, f"{concern}-start")
        self._thread: threading.Thread | None = None

    def look_for(self, names: Iterable[str]) -> None:
        """The owners of these are to be found."""
        with self._lock:
            self._missing.update((name, None) for name in names)
            if self._thread is None and not self._stopped:
                self._thread = steady_thread(self._run, name=f"{self._concern}-find")
                self._thread.start()
            self._changed.notify_all()

    def stir(self) -> None:
        """An owner that was missing may be there."""
        if self._missing:
            with self._lock:
                self._changed.notify_all()

    def tell_dead(self, full_name: str) -> None:
        """Somebody who cannot err says so."""
        with self._lock:
            known = self._handles.pop(full_name, None) is not None
            self._dead[full_name] = None
            if len(self._dead) > DEAD_MAX:
                del self._dead[next(iter(self._dead))]
        if known:
            self._died(full_name)

    def stop(self) -> None:
        """Find nobody any more."""
        with self._lock:
            self._stopped = True
            self._changed.notify_all()
        self._starters.shutdown(wait=False, cancel_futures=True)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=1.0)

    def _run(self) -> None:
        while not self._stopped:
            with self._lock:
                if not self._missing:
                    self._changed.wait(1.0)
                names = list(self._missing)
            left = [name for name in names if not self._stopped and not self._find(name)]
            if left:
                with self._lock:
                    self._changed.wait(AGAIN_S)

    def _find(self, name: str) -> bool:
        try:
            full_name = self._homes.owner_of(name)
            handle = None if full_name is None else self._handle(full_name)
        except (RayError, RuntimeError, SupervisorError):
            return False  # Ray or the supervisor is out of reach: later
        if full_name is None:
            self._want(name)
        if full_name is None or handle is None:
            return False
        with self._lock:
            self._missing.pop(name, None)
        self._found(name, full_name, handle)
        if full_name in self._dead:  # it has died meanwhile, and nobody knew yet whose it was
            self._died(full_name)
        return True

    def _handle(self, full_name: str) -> Any | None:
        if full_name in self._dead:
            return None
        handle = self._handles.get(full_name)
        if handle is not None:
            return handle
        try:
            handle = self._lookup(full_name)
        except ValueError:
            return None
        self._handles[full_name] = handle
        self._watch(full_name, handle)
        return handle

    def _watch(self, full_name: str, handle: Any) -> None:
        if not self._stopped:
            when_answered(handle.watch.remote(self._process), partial(self._on_watch_ended, full_name, handle))

    def _on_watch_ended(self, full_name: str, handle: Any, reply: object) -> None:
        if isinstance(reply, ActorDiedError):
            self.tell_dead(full_name)
        elif full_name in self._handles and not self._stopped:  # out of reach is not dead
            timer = threading.Timer(WATCH_AGAIN_S, self._watch, (full_name, handle))
            timer.daemon = True
            timer.start()

    def _want(self, name: str) -> None:
        with self._lock:
            if name in self._wanted or self._stopped:
                return
            self._wanted[name] = None
        self._starters.submit(self._start, name)

    def _start(self, name: str) -> None:
        try:
            self._homes.want(name)
        except (RayError, RuntimeError, SupervisorError):
            pass  # it is missing still, and wanted again
        finally:
            with self._lock:  # without waking the search: where one is on its way already this ends at once
                self._wanted.pop(name, None)
