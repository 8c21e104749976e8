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
from actors.breaker.parcels import Request
from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.replies import was_out_of_reach
from actors.service.finding import Homes

if TYPE_CHECKING:
    from actors.breaker.parcels import Said
    from actors.breaker.view import BreakerView
    from actors.service.finding import Lookup

PATIENCE_S = 20.0
RECORD_AFTER_S = 0.01
"""What an owner does already is asked for again so much later, to be on record: that takes the processors from the
processes that just then see it."""

_ANSWER_S = 15.0
_PAUSE_S = 0.05
_THREADS = 4


class BreakerHomes(Homes, Protocol):
    """Where the owners are, and `names_max`: how many breakers they take, all together."""

    def names_max(self) -> int: ...


class Desk:
    """Asks owners, each request on a thread.

    Args:
        supervisor: Whose breakers these are.
        homes: Where they are.
        take: Told what holds before a request is answered.
        lookup: Finds an actor.
    """

    def __init__(self, supervisor: str, homes: BreakerHomes, take: Callable[[Said], None], lookup: Lookup) -> None:
        self._supervisor = supervisor
        self._lookup = lookup
        self._homes = homes
        self._take = take
        self._threads = ThreadPoolExecutor(_THREADS, "breaker-desk")
        self._known: tuple[str, Any] | None = None

    def control(self, request: Request, *, told: bool) -> Future[None]:
        """Have a breaker put into a state, or under other settings; `told`: its owner does it already."""
        return self._threads.submit(self._control, request, RECORD_AFTER_S if told else 0.0)

    def view(self, name: str) -> Future[BreakerView]:
        """What people are told."""
        return self._threads.submit(self._view, name)

    def close(self) -> None:
        """Begin no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _control(self, request: Request, after_s: float) -> None:
        sleep(after_s)
        for said in self._ask(request.name, "steer", request):
            self._take(said)

    def _view(self, name: str) -> BreakerView:
        until = SYSTEM_CLOCK.now() + PATIENCE_S
        while SYSTEM_CLOCK.now() < until:
            for _, view, packed in self._ask(name, "views", (name,)):
                return replace(view, settings=unpack_settings(packed))
            sleep(_PAUSE_S)  # it looks for what its predecessors left
        raise _silent(name, "view")

    def _ask(self, name: str, method: str, *arguments: Any) -> Any:
        """What the owner answers. It may be asked twice: a request has a key."""
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
            known = self._known = (owner, self._lookup(owner))
        return known[1]


def request_of(key: str, name: str, event: m.ControlRequested | m.ConfigureRequested) -> Request:
    """What an owner is asked for.

    Raises:
        ConfigError: A function or class of the settings does not travel.
    """
    control = event if isinstance(event, m.ControlRequested) else None
    settings = pack_settings(event.settings) if isinstance(event, m.ConfigureRequested) else b""
    return Request(key=key, name=name, control=control, settings=settings, who=event.who, reason=event.reason)


def _silent(name: str, what: str) -> BreakerUnreachableError:
    return BreakerUnreachableError(name, what=f"a request ({what})", reason=f"nobody answered for {PATIENCE_S:g} s")
