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
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import ray
from ray.exceptions import ActorDiedError, GetTimeoutError, RayError

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
from actors.runtime.ids import NAMESPACE
from actors.runtime.process import this_process
from actors.runtime.replies import when_answered

if TYPE_CHECKING:
    from actors.breaker.settings import BreakerSettings
    from actors.breaker.view import BreakerView

LOOK_S = 0.02
FIND_AGAIN_S = 0.02
INTRODUCE_AGAIN_S = 0.1
INTRODUCTIONS_MAX = 500
NEWS_S = 10.0
DEAD_MAX = 1000
"""Lives of owners that are known to be over, while a view may still name them."""

_LOG = logging.getLogger("supervisor.breaker")


class Homes(Protocol):
    """The port to the supervisor: which actor owns a name. Any thread."""

    def owner_of(self, name: str) -> str | None:
        """The full name of the actor that owns it now; None while there is none."""
        ...

    def want(self, name: str) -> None:
        """See to it that there is one; blocks as long as the leader takes."""
        ...


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
        self._lost = threading.Condition(self._lock)
        self._places: dict[str, Place] = {}
        self._owners: dict[str, _Owner] = {}
        self._homeless: dict[str, None] = {}
        self._wanted: dict[str, None] = {}
        self._numbers = 0
        self._stopped = False
        self._dead: dict[str, None] = {}
        self._desk = Desk(self._supervisor, self._homes, self._take)
        self._starters = ThreadPoolExecutor(2, "breaker-start")
        self._threads: list[threading.Thread] = []

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
            if place is None:
                place = self._places[name] = Place(name)
                self._homeless[name] = None
            if packed is not None and packed != place.packed:
                place.packed = packed
                owner = self._owners.get(place.owner or "")
                if owner is not None:
                    owner.introduce[name] = 0.0
            self._start_threads()
            self._lost.notify_all()
            self._stirred.notify_all()
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
        return self._desk.control(name, event)

    def view(self, name: str) -> Future[BreakerView]:
        """See `OwnerLink`."""
        return self._desk.view(name)

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
        with self._lock:
            self._lost.notify_all()

    def stop(self) -> None:
        """Tell what is to be told, and end the threads."""
        with self._lock:
            owners = list(self._owners.values())
        for owner in owners:
            self._send(owner, urgently=True)
        with self._lock:
            self._stopped = True
            self._stirred.notify_all()
            self._lost.notify_all()
        self._desk.close()
        self._starters.shutdown(wait=False, cancel_futures=True)
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(timeout=1.0)

    def _start_threads(self) -> None:
        if self._threads or self._stopped:
            return
        tell = threading.Thread(target=self._tell_on, name="breaker-tell", daemon=True)
        find = threading.Thread(target=self._find_on, name="breaker-find", daemon=True)
        self._threads = [tell] if self._alone else [tell, find]
        for thread in self._threads:
            thread.start()

    # -- finding owners ---------------------------------------------------------------------------------------------

    def _find_on(self) -> None:
        while not self._stopped:
            with self._lock:
                if not self._homeless:
                    self._lost.wait(1.0)
                names = list(self._homeless)
            missing = [name for name in names if not self._find(name)]
            if missing and not self._stopped:
                with self._lock:
                    self._lost.wait(FIND_AGAIN_S)

    def _find(self, name: str) -> bool:
        """Whether its owner is known from now on."""
        try:
            full_name = self._homes.owner_of(name)
            handle = None if full_name is None else self._handle(full_name)
        except (RayError, RuntimeError):
            return False
        if full_name is None:
            self._want(name)
        if full_name is None or handle is None or full_name in self._dead:
            return False
        with self._lock:
            owner = self._owners.get(full_name)
            is_new = owner is None
            if owner is None:
                owner = self._owners[full_name] = _Owner(full_name, handle)
            self._homeless.pop(name, None)
            self._places[name].owner = full_name
            owner.introduce[name] = 0.0
            self._stirred.notify_all()
        if is_new:
            watched = handle.watch.remote(self._process)
            when_answered(watched, partial(self._on_watch_ended, full_name))
        return True

    def _handle(self, full_name: str) -> Any | None:
        owner = self._owners.get(full_name)
        if owner is not None:
            return owner.handle
        try:
            return ray.get_actor(full_name, namespace=NAMESPACE)
        except ValueError:
            return None

    def _want(self, name: str) -> None:
        with self._lock:
            if name in self._wanted or self._stopped:
                return
            self._wanted[name] = None
        self._starters.submit(self._start, name)

    def _start(self, name: str) -> None:
        try:
            self._homes.want(name)
        except (RayError, GetTimeoutError, RuntimeError):
            pass  # it is wanted still, and asked for again
        finally:
            with self._lock:
                self._wanted.pop(name, None)
                self._lost.notify_all()

    def _on_watch_ended(self, full_name: str, reply: object) -> None:
        if isinstance(reply, ActorDiedError):
            self._lose(full_name)
        elif not self._stopped:
            owner = self._owners.get(full_name)
            if owner is not None:  # out of reach is not dead
                timer = threading.Timer(INTRODUCE_AGAIN_S, self._watch_again, (owner,))
                timer.daemon = True
                timer.start()

    def _watch_again(self, owner: _Owner) -> None:
        if not self._stopped:
            when_answered(owner.handle.watch.remote(self._process), partial(self._on_watch_ended, owner.name))

    def _lose(self, full_name: str) -> None:
        """An owner is dead: what it was not told is given back, and its names are without one."""
        with self._lock:
            owner = self._owners.pop(full_name, None)
            if owner is None:
                return
            places = [place for place in self._places.values() if place.owner == full_name]
            self._dead[full_name] = None
            if len(self._dead) > DEAD_MAX:
                del self._dead[next(iter(self._dead))]
            self._homeless.update((place.name, None) for place in places)
            untold = [event for events in owner.in_flight.values() for event in events] + owner.outbox.drain()
            asked = list(owner.asked.items())
            owner.asked.clear()
            for place in places:
                place.owner = None
            self._lost.notify_all()
        for place in places:
            place.lose()
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
            self._lose(owner.name)
            return
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


def _lost(name: str) -> BreakerUnreachableError:
    return BreakerUnreachableError(name, what="a permit", reason="it has ended, or cannot be reached")
