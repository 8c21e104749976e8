"""People's requests about breakers, carried to their owners and, if need be, to the owners' successors.

    asked --one attempt--> answered
      ^         +--no owner, or it has died--> at the end of the queue --too long--> BreakerUnreachableError
      +---------------------------------------------+

Nobody waits for another breaker's owner: whoever has none gives the thread to the next one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import ray
from ray.exceptions import GetTimeoutError, RayError, RayTaskError

from actors.breaker import messages as m
from actors.breaker.errors import BreakerUnreachableError
from actors.breaker.packing import pack_settings, unpack_settings
from actors.breaker.parcels import Request
from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.errors import SupervisorClosedError
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

SHARED_AFTER_S = 1.0
"""Whoever looks at a breaker of which a view was asked for so long ago, and not given, waits for that one."""

_ANSWER_S = 15.0
_PAUSE_S = 0.05
_THREADS = 4

_NOTHING: Any = object()
"""Nobody has answered yet."""


class BreakerHomes(Homes, Protocol):
    """Where the owners are, and `names_max`: how many breakers they take, all together."""

    def names_max(self) -> int: ...


@dataclass(slots=True, kw_only=True)
class _Errand:
    """Something to be asked of the owner of a breaker.

    Attributes:
        name: The breaker.
        method: The owner's.
        arguments: Those of the method.
        finish: Makes what was wanted of the owner's answer; _NOTHING if that is none yet.
        after_s: When the first attempt is made, seconds from now.
        until: When it is given up, monotonic seconds.
        done: What was wanted.
    """

    name: str
    method: str
    arguments: tuple[Any, ...]
    finish: Callable[[Any], Any]
    after_s: float = 0.0
    until: float = field(default_factory=lambda: SYSTEM_CLOCK.now() + PATIENCE_S)
    done: Future[Any] = field(default_factory=Future[Any])


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
        self._closed = False
        self._lock = threading.Lock()
        self._views: dict[str, tuple[float, Future[BreakerView]]] = {}

    def control(self, request: Request, *, told: bool) -> Future[None]:
        """Have a breaker put into a state, or under other settings; `told`: its owner does it already."""
        after_s = RECORD_AFTER_S if told else 0.0
        return self._begin(
            _Errand(name=request.name, method="steer", arguments=(request,), finish=self._take_all, after_s=after_s)
        )

    def view(self, name: str) -> Future[BreakerView]:
        """What people are told. However often a silent owner is asked, few requests wait for it."""
        now = SYSTEM_CLOCK.now()
        with self._lock:
            asked_at, view = self._views.get(name, (now, None))
            waits = view is not None and not view.done()
            if view is not None and waits and now - asked_at >= SHARED_AFTER_S:
                return view
            errand = _Errand(name=name, method="views", arguments=((name,),), finish=_view_of)
            if not waits:
                self._views[name] = (now, errand.done)
        return self._begin(errand)

    def close(self) -> None:
        """Begin no more."""
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _take_all(self, said: list[Said]) -> None:
        for each in said:
            self._take(each)

    def _begin(self, errand: _Errand) -> Future[Any]:
        if self._closed:
            errand.done.set_exception(SupervisorClosedError(self._supervisor))
        else:
            self._line_up(errand)
        return errand.done

    def _line_up(self, errand: _Errand) -> None:
        """An attempt that is not made any more, because the desk is closed, ends the errand."""

        def note(attempt: Future[None]) -> None:
            if attempt.cancelled():
                errand.done.cancel()

        self._threads.submit(self._run, errand).add_done_callback(note)

    def _run(self, errand: _Errand) -> None:
        sleep(errand.after_s)
        errand.after_s = _PAUSE_S
        try:
            answer = self._ask(errand.name, errand.method, *errand.arguments)
            wanted = _NOTHING if answer is _NOTHING else errand.finish(answer)
            if wanted is not _NOTHING:
                errand.done.set_result(wanted)
            elif SYSTEM_CLOCK.now() < errand.until:
                self._line_up(errand)
            else:
                errand.done.set_exception(_silent(errand.name, errand.method))
        except Exception as error:  # noqa: BLE001 - the owner's answer, or that this process ends
            errand.done.set_exception(error)

    def _ask(self, name: str, method: str, *arguments: Any) -> Any:
        """What the owner answers, or _NOTHING. It may be asked twice: a request has a key."""
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
        return _NOTHING

    def _handle(self, owner: str) -> Any:
        """The owner that was asked last is asked again without a look into Ray's table of names."""
        known = self._known
        if known is None or known[0] != owner:
            known = self._known = (owner, self._lookup(owner))
        return known[1]


def _view_of(answer: Any) -> Any:
    """The one view; _NOTHING while the owner looks for what its predecessors left."""
    for _, view, packed in answer:
        return replace(view, settings=unpack_settings(packed))
    return _NOTHING


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
