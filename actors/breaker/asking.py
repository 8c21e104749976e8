"""People's requests about breakers, carried to their owners and, if need be, to the owners' successors."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import ray
from ray.exceptions import GetTimeoutError, RayError, RayTaskError

from actors.breaker import messages as m
from actors.breaker.errors import BreakerUnreachableError
from actors.breaker.packing import pack_settings, unpack_settings
from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.ids import NAMESPACE
from actors.runtime.replies import was_out_of_reach

if TYPE_CHECKING:
    from actors.breaker.parcels import Said
    from actors.breaker.view import BreakerView

PATIENCE_S = 20.0
_ANSWER_S = 15.0
_PAUSE_S = 0.05
_THREADS = 4


class _Homes(Protocol):
    def owner_of(self, name: str) -> str | None: ...

    def want(self, name: str) -> None: ...


class Desk:
    """Asks owners, each request on a thread.

    Args:
        supervisor: Whose breakers these are.
        homes: Where they are.
        take: Told what holds before a request is answered.
    """

    def __init__(self, supervisor: str, homes: _Homes, take: Callable[[Said], None]) -> None:
        self._supervisor = supervisor
        self._homes = homes
        self._take = take
        self._threads = ThreadPoolExecutor(_THREADS, "breaker-desk")
        self._known: tuple[str, Any] | None = None

    def control(self, name: str, event: m.ControlRequested | m.ConfigureRequested) -> Future[None]:
        """Have a breaker put into a state, or under other settings."""
        packed = pack_settings(event.settings) if isinstance(event, m.ConfigureRequested) else b""
        return self._threads.submit(self._control, name, event, packed)

    def view(self, name: str) -> Future[BreakerView]:
        """What people are told."""
        return self._threads.submit(self._view, name)

    def close(self) -> None:
        """Begin no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _control(self, name: str, event: m.ControlRequested | m.ConfigureRequested, packed: bytes) -> None:
        told = event if isinstance(event, m.ControlRequested) else None
        for said in self._ask(name, "steer", (name,), told, packed, event.who, event.reason):
            self._take(said)

    def _view(self, name: str) -> BreakerView:
        until = SYSTEM_CLOCK.now() + PATIENCE_S
        while SYSTEM_CLOCK.now() < until:
            for _, view, packed in self._ask(name, "views", (name,)):
                return replace(view, settings=unpack_settings(packed))
            sleep(_PAUSE_S)  # it looks for what its predecessors left
        raise _silent(name, "view")

    def _ask(self, name: str, method: str, *arguments: Any) -> Any:
        """What the owner answers. A request may be carried out twice: the second time changes nothing."""
        until = SYSTEM_CLOCK.now() + PATIENCE_S
        while SYSTEM_CLOCK.now() < until:
            try:
                owner = self._homes.owner_of(name)
                if owner is None:
                    self._homes.want(name)
                    owner = self._homes.owner_of(name)
                if owner is not None:
                    return ray.get(getattr(self._handle(owner), method).remote(*arguments), timeout=_ANSWER_S)
            except (RayError, GetTimeoutError, ValueError) as error:
                if isinstance(error, RayTaskError) and not was_out_of_reach(error):
                    raise (error.cause if isinstance(error.cause, Exception) else error) from None
                self._known = None  # it has died, and its successor is asked
            sleep(_PAUSE_S)
        raise _silent(name, method)

    def _handle(self, owner: str) -> Any:
        """The owner that was asked last is asked again without a look into Ray's table of names."""
        known = self._known
        if known is None or known[0] != owner:
            known = self._known = (owner, ray.get_actor(owner, namespace=NAMESPACE))
        return known[1]


def _silent(name: str, what: str) -> BreakerUnreachableError:
    return BreakerUnreachableError(name, what=f"a request ({what})", reason=f"nobody answered for {PATIENCE_S:g} s")
