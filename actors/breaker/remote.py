"""`RayLink`: one process's way to the owners of breakers on a cluster.

    circuits --tell--> outboxes --one call per owner, in order--> owners
    circuits <--word-- the node's board <--agent-- owners         (without a board: `news`, asked of the owners)

Two threads: one finds owners, the other tells them and looks at the board. An owner's death is told by a call of ours
that never returns; what it was not told is given back, its followers go on by local rules, and its successor is
introduced to every name that is used here and to the permits that are held.
"""

from __future__ import annotations

import logging
import pickle
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Any

from ray.exceptions import ActorDiedError, RayError

from actors.breaker import messages as m
from actors.breaker.asking import Desk
from actors.breaker.errors import BreakerUnreachableError
from actors.breaker.link import Attachment, Follower, OwnerLink
from actors.breaker.noticeboard import Noticeboard
from actors.breaker.outbox import Events, Outbox
from actors.breaker.packing import pack_settings
from actors.breaker.parcels import News, Parcel, Reply, Said
from actors.breaker.places import Place
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.process import this_process
from actors.runtime.replies import when_answered
from actors.service.finding import Finder, Homes

if TYPE_CHECKING:
    from actors.breaker.settings import BreakerSettings
    from actors.breaker.view import BreakerView

LOOK_S = 0.02
INTRODUCE_AGAIN_S = 0.1
INTRODUCTIONS_MAX = 500
NEWS_S = 10.0

_LOG = logging.getLogger("supervisor.breaker")


class _Owner:
    """One life of an owner, as this process deals with it."""

    def __init__(self, name: str, handle: Any) -> None:
        self.name = name
        self.handle = handle
        self.outbox = Outbox()
        self.in_flight: dict[int, Events] = {}
        self.introduce: dict[str, float] = {}
        self.asked: dict[tuple[str, str, int], Future[Any]] = {}
        self.known: tuple[int, int] = (0, 0)
        self.listening = False


class RayLink:
    """See `link.OwnerLink`.

    Args:
        supervisor: Whose breakers these are.
        homes: Where they are.
        recipe: How another process gets its link.
        node_id: This process's node.
        board: The node's board, or None where this process cannot read one.
    """

    def __init__(
        self,
        supervisor: str,
        homes: Homes,
        *,
        recipe: Callable[[], OwnerLink],
        node_id: str,
        board: Noticeboard,
    ) -> None:
        self._supervisor = supervisor
        self._homes = homes
        self._recipe = recipe
        self._node_id = node_id
        self._board = board
        self._identity = this_process()
        self._process = f"{node_id[:12]}/{self._identity.pid}.{self._identity.started_ticks}"
        self._begin(alone=False)

    def _begin(self, *, alone: bool) -> None:
        self._alone = alone
        self._lock = threading.Lock()
        self._stirred = threading.Condition(self._lock)
        self._places: dict[str, Place] = {}
        self._owners: dict[str, _Owner] = {}
        self._numbers = 0
        self._stopped = False
        self._desk = Desk(self._supervisor, self._homes, self._take)
        self._finder = Finder(self._homes, self._process, self._on_found, self._on_died, concern="breaker")
        self._thread: threading.Thread | None = None

    @property
    def supervisor(self) -> str:
        return self._supervisor

    # -- circuits ---------------------------------------------------------------------------------------------------

    def attach(self, name: str, settings: BreakerSettings | None, follower: Follower, *, process: str) -> Attachment:
        """See `OwnerLink`.

        Raises:
            ConfigError: A function or class of the settings does not travel.
        """
        packed = None if settings is None else pack_settings(settings)
        with self._lock:
            self._process = process
            place = self._places.get(name)
            is_new = place is None
            if place is None:
                place = self._places[name] = Place(name)
            if packed is not None and packed != place.packed:
                place.packed = packed
                owner = self._owners.get(place.owner or "")
                if owner is not None:
                    owner.introduce[name] = 0.0
            if self._thread is None and not self._stopped:
                self._thread = threading.Thread(target=self._tell_on, name="breaker-tell", daemon=True)
                self._thread.start()
            self._stirred.notify_all()
        if is_new and not self._alone:
            self._finder.look_for((name,))
        attachment = place.attach(follower)
        self._board.look((place,))
        return attachment

    def tell(self, name: str, events: Sequence[m.Event]) -> None:
        """See `OwnerLink`."""
        untold: Events = [(name, event) for event in events]
        with self._lock:
            place = self._places.get(name)
            owner = None if place is None else self._owners.get(place.owner or "")
            if place is not None:
                place.ended(events)
            if owner is not None:
                untold = owner.outbox.add(name, events, SYSTEM_CLOCK.now())
                if owner.outbox.is_urgent:
                    self._stirred.notify_all()
        self._give_back(untold)

    def request_permit(self, name: str, request: m.PermitRequested) -> Future[m.GrantPermit | m.RefusePermit]:
        """See `OwnerLink`."""
        asked: Future[Any] = Future()
        with self._lock:
            place = self._places.get(name)
            owner = None if place is None else self._owners.get(place.owner or "")
            if owner is not None:
                owner.asked[name, request.holder, request.request] = asked
                owner.outbox.add(name, (request,), SYSTEM_CLOCK.now())
                self._stirred.notify_all()
        if owner is None:
            asked.set_exception(_lost(name))
        return asked

    def control(self, name: str, event: m.ControlRequested | m.ConfigureRequested) -> Future[None]:
        """See `OwnerLink`."""
        self._hurry(name)
        return self._desk.control(name, event) if not self._alone else _failed(_lost(name))

    def view(self, name: str) -> Future[BreakerView]:
        """See `OwnerLink`."""
        self._hurry(name)
        return self._desk.view(name) if not self._alone else _failed(_lost(name))

    def _hurry(self, name: str) -> None:
        with self._lock:
            place = self._places.get(name)
            owner = None if place is None else self._owners.get(place.owner or "")
            if owner is not None:
                owner.outbox.hurry(name)
                self._stirred.notify_all()

    def recipe(self, name: str) -> Callable[[], OwnerLink]:
        """See `OwnerLink`."""
        del name
        return self._recipe

    def forked(self, former: str, process: str) -> None:
        """See `OwnerLink`. Ray does not survive a fork: the child reads the board, and tells nobody."""
        del former
        self._board = self._board.anew()
        self._begin(alone=True)
        self._process = process
        self._identity = this_process()

    def stir(self) -> None:
        """The supervisor has announced something: an owner that was missing may be there."""
        self._finder.stir()

    def stop(self) -> None:
        """Tell what is to be told, and end the threads."""
        with self._lock:
            owners = list(self._owners.values())
        for owner in owners:
            self._send(owner, urgently=True)
        with self._lock:
            self._stopped = True
            self._stirred.notify_all()
        self._desk.close()
        self._finder.stop()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=1.0)

    # -- owners that are found and lost -----------------------------------------------------------------------------

    def _on_found(self, name: str, full_name: str, handle: Any) -> None:
        with self._lock:
            owner = self._owners.get(full_name)
            if owner is None:
                owner = self._owners[full_name] = _Owner(full_name, handle)
            self._places[name].owner = full_name
            owner.introduce[name] = 0.0
            self._stirred.notify_all()

    def _on_died(self, full_name: str) -> None:
        """What it was not told is given back, and its names are without an owner."""
        with self._lock:
            owner = self._owners.pop(full_name, None)
            if owner is None:
                return
            places = [place for place in self._places.values() if place.owner == full_name]
            untold = [event for events in owner.in_flight.values() for event in events] + owner.outbox.drain()
            owner.in_flight.clear()
            asked = list(owner.asked.items())
            owner.asked.clear()
        for place in places:
            place.lose()
        self._finder.look_for(place.name for place in places)
        for (name, _, _), future in asked:
            future.set_exception(_lost(name))
        self._give_back(untold)

    def _give_back(self, untold: Events) -> None:
        for name in dict.fromkeys(name for name, _ in untold):
            place = self._places.get(name)
            events = [event for each, event in untold if each == name and not isinstance(event, m.PermitRequested)]
            if place is not None and events:
                place.each(lambda follower, events=events: follower.untold(events))

    # -- telling them -----------------------------------------------------------------------------------------------

    def _tell_on(self) -> None:
        look_at = 0.0
        while not self._stopped:
            with self._lock:
                owners = list(self._owners.values())
                dues = [due for owner in owners if (due := self._due(owner)) is not None]
                wait_s = min([look_at, *dues]) - SYSTEM_CLOCK.now()
                if wait_s > 0:
                    self._stirred.wait(wait_s)
                owners = list(self._owners.values())
            for owner in owners:
                self._send(owner)
            if SYSTEM_CLOCK.now() >= look_at:
                look_at = SYSTEM_CLOCK.now() + LOOK_S
                places = list(self._places.values())
                self._board.look_round(places)
                if not self._board.is_alive or any(place.slot is None for place in places):
                    self._listen(owners)

    @staticmethod
    def _due(owner: _Owner) -> float | None:
        at = [owner.outbox.due_at(), min(owner.introduce.values(), default=None)]
        return min((each for each in at if each is not None), default=None)

    def _send(self, owner: _Owner, *, urgently: bool = False) -> None:
        now = SYSTEM_CLOCK.now()
        with self._lock:
            events = owner.outbox.drain() if urgently else owner.outbox.take(now)
            due = [name for name, at in owner.introduce.items() if at <= now][:INTRODUCTIONS_MAX]
            for name in due:
                owner.introduce[name] = now + INTRODUCE_AGAIN_S
            if not events and not due:
                return
            self._numbers += 1
            number = self._numbers
            owner.in_flight[number] = events
            introductions = tuple(self._places[name].introduction() for name in due)
        parcel = Parcel(
            process=self._process,
            node_id=self._node_id,
            identity=self._identity,
            introductions=introductions,
            events=tuple(events),
        )
        try:
            ref = owner.handle.exchange.remote(pickle.dumps(parcel, 5))
        except (RayError, ValueError, AttributeError, RuntimeError) as error:
            self._on_reply(owner, number, error)
            return
        when_answered(ref, partial(self._on_reply, owner, number))

    def _on_reply(self, owner: _Owner, number: int, reply: object) -> None:
        if isinstance(reply, ActorDiedError):
            self._finder.tell_dead(owner.name)
        with self._lock:
            events = owner.in_flight.pop(number, [])
        if not isinstance(reply, bytes):  # out of reach: whether it was told nobody knows
            self._fail(owner, events)
            self._give_back(events)
            return
        told: Reply = pickle.loads(reply)  # noqa: S301 - our own owner made it
        with self._lock:
            for said in told.said:
                owner.introduce.pop(said.name, None)
            for name in told.unknown:
                owner.introduce[name] = 0.0
            for name, _ in told.refused:
                owner.introduce.pop(name, None)
        for said in told.said:
            self._take(said, owner.name)
        self._answer(owner, told.answers)
        for _, reason in told.refused:
            _LOG.warning("%s", reason)
        self._fail(owner, [(name, event) for name, event in events if name in told.unknown])

    def _answer(self, owner: _Owner, answers: Iterable[tuple[str, m.GrantPermit | m.RefusePermit]]) -> None:
        for name, answer in answers:
            with self._lock:
                asked = owner.asked.pop((name, answer.holder, answer.request), None)
                if isinstance(answer, m.GrantPermit) and asked is not None:
                    self._places[name].granted(answer)
            if asked is not None:
                asked.set_result(answer)

    def _fail(self, owner: _Owner, events: Events) -> None:
        for name, event in events:
            if isinstance(event, m.PermitRequested):
                with self._lock:
                    asked = owner.asked.pop((name, event.holder, event.request), None)
                if asked is not None:
                    asked.set_exception(_lost(name))

    # -- hearing of changes -----------------------------------------------------------------------------------------

    def _take(self, said: Said, owner: str | None = None) -> None:
        place = self._places.get(said.name)
        if place is None:
            return
        place.take(said)
        if owner is not None and place.owner == owner:
            place.hear()

    def _listen(self, owners: Iterable[_Owner]) -> None:
        """Ask the owners what changes; one question at a time of each."""
        for owner in owners:
            if not owner.listening:
                owner.listening = True
                asked = owner.handle.news.remote(*owner.known, NEWS_S)
                when_answered(asked, partial(self._on_news, owner))

    def _on_news(self, owner: _Owner, reply: object) -> None:
        owner.listening = False
        if isinstance(reply, News):
            owner.known = (reply.incarnation, reply.number)
            for said in reply.said:
                self._take(said)
        with self._lock:
            self._stirred.notify_all()


def _failed(error: Exception) -> Future[Any]:
    failed: Future[Any] = Future()
    failed.set_exception(error)
    return failed


def _lost(name: str) -> BreakerUnreachableError:
    return BreakerUnreachableError(name, what="a permit", reason="it has ended, or cannot be reached")
