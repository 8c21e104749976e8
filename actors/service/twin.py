"""Methods for coroutines, made of those that wait: one text, one meaning."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar

if TYPE_CHECKING:
    from actors.service.client import ServiceClient

P = ParamSpec("P")
T = TypeVar("T")


class Waits(Protocol):
    """Whose methods wait.

    Attributes:
        client: What they wait for.
    """

    @property
    def client(self) -> ServiceClient: ...


W = TypeVar("W", bound=Waits)


def twin(method: Callable[Concatenate[W, P], T]) -> Callable[Concatenate[W, P], Coroutine[Any, Any, T]]:
    """The same for a coroutine: it waits on a thread. Cancelled, what it has asked for may still be done."""

    @wraps(method)
    async def waits_elsewhere(self: W, *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.wrap_future(self.client.in_thread(partial(method, self, *args, **kwargs)))

    name = method.__name__
    waits_elsewhere.__name__, waits_elsewhere.__doc__ = f"a{name}", f"`{name}` for a coroutine."
    return waits_elsewhere
