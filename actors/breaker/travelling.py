"""A circuit that pickles, for the functions that it decorates: they hold it, and travel by value to where they run.

    here --pickled--> under way --first call there--> that process's one circuit of the name

Under way it knows nothing but its way: Ray unpickles under a lock, see `actors.runtime.arriving`. Once it has arrived
its class is that of all circuits again: each attribute of a class that has `__getattr__` would cost every call more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from actors.breaker.circuit import Circuit

if TYPE_CHECKING:
    from actors.breaker.link import OwnerLink

Way = tuple[str, str, "Callable[[], OwnerLink]"]
"""The supervisor, the breaker, and what makes the link to its owner."""


class TravellingCircuit(Circuit):
    """See `Circuit`."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _UnderWay, (self.link.supervisor, self.name, self.link.recipe(self.name))


class _UnderWay:
    """A circuit that nobody has used yet where it arrived."""

    def __init__(self, *way: Any) -> None:
        self.__dict__["_way"] = way

    def __getattr__(self, name: str) -> Any:
        way: Way | None = self.__dict__.get("_way")
        if way is not None and not (name.startswith("__") and name.endswith("__")):
            found = _found(*way)
            self.__dict__ = found.__dict__
            self.__class__ = type(found)  # pyright: ignore[reportAttributeAccessIssue] - that is what it becomes
        return object.__getattribute__(self, name)

    def __reduce__(self) -> tuple[Any, ...]:
        return _UnderWay, self.__dict__["_way"]


def _found(supervisor: str, name: str, recipe: Callable[[], OwnerLink]) -> Circuit:
    from actors.breaker.registry import REGISTRY  # noqa: PLC0415 - the registry makes circuits of this kind

    return REGISTRY.arrived(supervisor, name, recipe)
