"""Which lives are in which of the actors that host several, as one leader knows it."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from supervisor.tree import Location

Life = tuple[str, int]
"""A child's key and an incarnation."""


@dataclass(slots=True)
class Start:
    """A start of a life that was begun here and is not over.

    Attributes:
        at: When it was begun, monotonic seconds.
        placed: Its actor has answered: it waits for no room.
    """

    at: float
    placed: bool = False


@dataclass(slots=True)
class Host:
    """An actor that hosts several.

    Attributes:
        name: Its full name.
        share: What those who live there have in common.
        handle: Its handle.
        lives: Who lives there, or is about to.
        watched: Its death is going to be told.
        closed: It ends, or is to end: nobody moves in any more.
        location: Where it runs, once that is known.
    """

    name: str
    share: str
    handle: Any
    lives: set[Life] = field(default_factory=set[Life])
    watched: bool = False
    closed: bool = False
    location: Location | None = None


class Hosts:
    """The hosts of one leader. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hosts: dict[str, Host] = {}
        self._homes: dict[Life, Host] = {}
        self._over: set[str] = set()

    def enter(self, name: str, share: str, handle: Any, life: Life) -> bool:
        """A life is to be in a host from now on; False when nobody moves in there any more."""
        with self._lock:
            host = self._hosts.get(name)
            if name in self._over or (host is not None and host.closed):
                return False
            if host is None:
                host = self._hosts[name] = Host(name, share, handle)
            host.lives.add(life)
            self._homes[life] = host
            return True

    def leave(self, life: Life) -> Host | None:
        """A life is over; returns its host if that was the last one there: it is closed then, and is to be ended."""
        with self._lock:
            host = self._homes.pop(life, None)
            if host is None:
                return None
            host.lives.discard(life)
            if host.lives or host.closed:
                return None
            host.closed = True
            return host

    def of(self, life: Life) -> Host | None:
        """The host that a life is in; None for one that has an actor of its own."""
        return self._homes.get(life)

    def open_for(self, share: str) -> Host | None:
        """The host that who shares this moves into, if there is one."""
        with self._lock:
            return next((host for host in self._hosts.values() if host.share == share and not host.closed), None)

    def begin_watch(self, life: Life) -> Host | None:
        """The host of a life, if its death was not going to be told so far; it is to be now."""
        with self._lock:
            host = self._homes.get(life)
            if host is None or host.watched:
                return None
            host.watched = True
            return host

    def close(self, name: str) -> None:
        """A host is about to be killed."""
        with self._lock:
            host = self._hosts.get(name)
            if host is None:
                self._over.add(name)
            else:
                host.closed = True

    def lost(self, name: str) -> tuple[Life, ...]:
        """A host is dead; returns who lived there."""
        with self._lock:
            self._over.add(name)
            host = self._hosts.pop(name, None)
            lives = tuple(sorted(host.lives)) if host is not None else ()
            for life in lives:
                del self._homes[life]
            return lives

    def is_over(self, name: str) -> bool:
        """Whether a host is dead or about to be killed, whatever Ray says of it."""
        with self._lock:
            host = self._hosts.get(name)
            return name in self._over or (host is not None and host.closed)

    def keep_only(self, names: Collection[str]) -> None:
        """Forget the dead whose names Ray has forgotten: no name is used again."""
        with self._lock:
            self._over.intersection_update(names)

    def everyone(self) -> tuple[Host, ...]:
        """All hosts that are not known to be dead."""
        with self._lock:
            return tuple(self._hosts.values())
