"""A user's object and its optional hooks: `checkpoint()`, `restore(state)`, `health()`, `stop()`.

A hook may be a coroutine function. What these functions return is then awaitable: the loop of an asynchronous child
awaits it, `finish` runs it to its end elsewhere.
"""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from actors.runtime.errors import ChildStateError
from actors.runtime.wire import dumps, loads

if TYPE_CHECKING:
    from actors.child.protocol import Recipe

HEALTHY = ""
"""What `health_reason` says when there is nothing to say."""


def construct(recipe: Recipe) -> Any:
    """The user's object, made on the calling thread.

    Raises: whatever importing the class, unpickling the arguments or the constructor raises.
    """
    cls = pickle.loads(recipe.cls)  # noqa: S301 - Ray itself carries pickles between these same processes
    args, kwargs = loads(recipe.arguments, recipe.refs)
    return cls(*args, **kwargs)


def finish(value: Any) -> Any:
    """The hook's result, on a thread without an event loop."""
    return asyncio.run(_awaited(value)) if isinstance(value, Awaitable) else value


async def finish_soon(value: Any) -> Any:
    """The hook's result, on the running event loop."""
    return await value if isinstance(value, Awaitable) else value


class Hooks:
    """The hooks of one object.

    Args:
        key: The child's key, for messages.
        target: The user's object.
    """

    def __init__(self, key: str, target: Any) -> None:
        self._key = key
        self._target = target

    @property
    def has_health(self) -> bool:
        return self._hook("health") is not None

    def state(self) -> Any:
        """What `checkpoint()` returns, or a copy of `__dict__`; perhaps awaitable.

        Raises:
            ChildStateError: It has neither.
        """
        hook = self._hook("checkpoint")
        if hook is not None:
            return hook()
        try:
            return dict(vars(self._target))
        except TypeError:
            raise ChildStateError(self._key, reason="cannot be read: its object has no __dict__") from None

    def pack(self, state: Any) -> bytes:
        """A state as bytes.

        Raises:
            ChildStateError: It does not pickle, or holds ObjectRefs, which end with this process.
        """
        try:
            data, refs = dumps(state)
        except Exception as error:
            culprit = _culprit(state) if self._hook("checkpoint") is None else None
            where = f", because of its attribute {culprit!r}" if culprit else ""
            reason = f"does not pickle{where} ({type(error).__name__}: {error})"
            raise ChildStateError(self._key, reason=reason) from error
        if refs:
            raise ChildStateError(self._key, reason="holds ObjectRefs, which end with the process that made them")
        return data

    def restore(self, data: bytes) -> Any:
        """Give the object a state back, by `restore(state)` or into `__dict__`; perhaps awaitable."""
        state = pickle.loads(data)  # noqa: S301 - an earlier incarnation of this child made it
        hook = self._hook("restore")
        if hook is not None:
            return hook(state)
        if not isinstance(state, dict) or not hasattr(self._target, "__dict__"):
            raise ChildStateError(self._key, reason=f"is a {type(state).__name__}, and its class has no restore()")
        vars(self._target).update(state)
        return None

    def stop(self) -> Any:
        """Call `stop()` if there is one; perhaps awaitable."""
        hook = self._hook("stop")
        return None if hook is None else hook()

    def health(self) -> Any:
        """What `health()` returns; perhaps awaitable."""
        hook = self._hook("health")
        return None if hook is None else hook()

    def _hook(self, name: str) -> Callable[..., Any] | None:
        found = getattr(self._target, name, None)
        return found if callable(found) else None


def reason_of(verdict: Any) -> str:
    """Why an object is unhealthy by what its `health()` returned; HEALTHY unless that is False."""
    return "health() returned False" if verdict is False else HEALTHY


def _culprit(state: dict[str, Any]) -> str | None:
    for name, value in state.items():
        try:
            dumps(value)
        except Exception:  # noqa: BLE001 - that is what is looked for
            return name
    return None


async def _awaited(value: Awaitable[Any]) -> Any:
    return await value
