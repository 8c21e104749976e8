"""Handles that came from another process: they look for their way here when they are first used, not as they arrive.

Ray unpickles arguments and results under a lock that every other thread needs to get hold of an actor. A handle that
connected itself there would wait for threads that wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

_WAY = "_way_here"
T = TypeVar("T", bound="Arriving")


class Arriving:
    """The base of such handles. Until it is used, a handle has `known` attributes only, and pickles as it came."""

    def _travel(self) -> tuple[Callable[[], Any], Mapping[str, Any]]:
        """How another process makes its own, and what it knows before that."""
        raise NotImplementedError

    def __reduce__(self) -> tuple[Any, ...]:
        own = self.__dict__
        if _WAY in own:
            return arrive, (type(self), own[_WAY], {name: value for name, value in own.items() if name != _WAY})
        way, known = self._travel()
        return arrive, (type(self), way, dict(known))

    def __getattr__(self, name: str) -> Any:
        if self._is_here or (name.startswith("__") and name.endswith("__")):
            return object.__getattribute__(self, name)  # there by now if another thread has found the way meanwhile
        self._arrive()
        return getattr(self, name)

    def _arrive(self) -> None:
        """Find the way, unless another thread was faster."""
        way = self.__dict__.get(_WAY)
        if way is not None:
            self.__dict__ = way().__dict__

    @property
    def _is_here(self) -> bool:
        """Whether it has found its way."""
        return _WAY not in self.__dict__


def arrive(cls: type[T], way: Callable[[], T], known: Mapping[str, Any]) -> T:
    """A handle in the process in which it arrives.

    Args:
        cls: Its class.
        way: Makes this process's own with the first use; whatever it raises is raised there.
        known: The attributes that it has before.
    """
    made = cls.__new__(cls)
    made.__dict__.update(known)
    made.__dict__[_WAY] = way
    return made
