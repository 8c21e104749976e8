"""`RayLink`: one process's way to the owners of breakers on a cluster.

    circuits --tell--> outboxes --one call per owner, in order--> owners
    circuits <--word-- boards of the node <-- owners, or the agent (without a board: `news`, asked of the owners)

Owners of this node are told over a socket, and lay their words on boards of their own; others use Ray and the agent.
What cannot wait goes over it on the thread that has it: another one would have to be woken, and given the interpreter.

Two threads: one finds owners, the other tells them what waits and looks at the board. An owner's death is told by a
call of ours that never returns; what it was not told is given back, its followers go on by local rules, and its
successor is introduced to every name that is used here and to the permits that are held.
"""

from __future__ import annotations

import logging
import pickle
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Any

from ray.exceptions import ActorDiedError

from actors.breaker import messages as m
from actors.breaker.asking import BreakerHomes, Desk, request_of
from actors.breaker.correspondence import Correspondence, Letter, disappoint, nobody
from actors.breaker.known_owner import KnownOwner
from actors.breaker.link import LOOK_S, Attachment, Follower, OwnerLink
from actors.breaker.noticeboard import Noticeboard
from actors.breaker.packing import pack_settings
from actors.breaker.parcels import News, Parcel, Reply, Request, Said
from actors.breaker.places import Place
from actors.breaker.roll import Roll
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.id_source import IdSource
from actors.runtime.process import this_process
from actors.runtime.replies import when_answered
from actors.service.finding import Finder, Lookup, named_actor
from actors.service.near import NearCalls

if TYPE_CHECKING:
    from actors.breaker.outbox import Events
    from actors.breaker.settings import BreakerSettings
    from actors.breaker.view import BreakerView

NEWS_S = 10.0

_LOG = logging.getLogger("supervisor.breaker")


class RayLink:
    """See `link.OwnerLink`.

    Args:
        supervisor: Whose breakers these are.
        homes: Where they are.
        recipe: How another process gets its link.
        node_id: This process's node.
        board: The node's board, or None where this process cannot read one.
        lookup: Finds an actor.
    """

    def __init__(
        self,
        supervisor: str,
        homes: BreakerHomes,
        *,
        recipe: Callable[[], OwnerLink],
        node_id: str,
        board: Noticeboard,
        lookup: Lookup = named_actor,
    ) -> None:
        self._supervisor = supervisor
        self._homes = homes
        self._recipe = recipe
        self._node_id = node_id
        self._board = board
        self._roll = Roll(board.names, homes.names_max)
        self._lookup = lookup
        self._identity = this_process()
        self._process = f"{node_id[:12]}/{self._identity.pid}.{self._identity.started_ticks}"
        self._begin(alone=False)

    def _begin(self, *, alone: bool) -> None:
        self.is_alone = alone
        self._lock = threading.Lock()
        self._stirred = threading.Condition(self._lock)
        self._places: dict[str, Place] = {}
        self._owners: dict[str, KnownOwner] = {}
        self._keys = IdSource()
        self._stopped = False
        self._near = NearCalls()
        self._desk = Desk(self._supervisor, self._homes, self._take, self._lookup)
        self._finder = Finder(
            self._homes, self._process, self._on_found, self._on_died, concern="breaker", lookup=self._lookup
        )
        self._thread: threading.Thread | None = None

    @property
    def supervisor(self) -> str:
        return self._supervisor

    # -- circuits ---------------------------------------------------------------------------------------------------

    def check(self, name: str) -> None:
        """See `OwnerLink`."""
        place = self._places.get(name)
        if place is not None and place.refused is not None:
            raise place.refused.with_traceback(None)
        if place is None:
            with self._lock:
                mine = tuple(self._places)
            self._roll.check(name, mine, SYSTEM_CLOCK.now())

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
            self._define(place, packed)
            if self._thread is None and not self._stopped:
                self._thread = threading.Thread(target=self._tell_on, name="breaker-tell", daemon=True)
                self._thread.start()
            self._stirred.notify_all()
        if is_new and not self.is_alone:
            self._finder.look_for((name,))
        attachment = place.attach(follower)
        self._board.look((place,))
        return attachment

    def define(self, name: str, settings: BreakerSettings) -> None:
        """See `OwnerLink`.

        Raises:
            ConfigError: A function or class of the settings does not travel.
        """
        packed = pack_settings(settings)
        with self._lock:
            self._define(self._places[name], packed)
            self._stirred.notify_all()

    def _define(self, place: Place, packed: bytes | None) -> None:
        if packed is None or packed == place.packed:
            return
        place.packed = packed
        owner = self._owners.get(place.owner or "")
        if owner is not None:
            owner.letters.introduce(place.name)

    def tell(self, name: str, events: Sequence[m.Event]) -> None:
        """See `OwnerLink`."""
        with self._lock:
            place, owner = self._found(name)
            waits = place is not None and place.note(events, found=self.is_alone or owner is not None)
            untold: Events = [] if waits else [(name, event) for event in events]
            if owner is not None:
                untold = owner.letters.tell(name, events, SYSTEM_CLOCK.now())
        self._send_soon(owner)
        self._give_back(untold)

    def request_permit(self, name: str, request: m.PermitRequested) -> Future[m.GrantPermit | m.RefusePermit]:
        """See `OwnerLink`."""
        with self._lock:
            _, owner = self._found(name)
            asked = nobody(name) if owner is None else owner.letters.ask(name, request, SYSTEM_CLOCK.now())
        self._send_soon(owner)
        return asked

    def control(self, name: str, event: m.ControlRequested | m.ConfigureRequested) -> Future[None]:
        """See `OwnerLink`. An owner of this node is told over the socket, too, and does it before it is on record."""
        if self.is_alone:
            return nobody(name)
        request = request_of(f"{self._keys.span_id():016x}", name, event)
        return self._desk.control(request, told=self._hurry(name, request))

    def view(self, name: str) -> Future[BreakerView]:
        """See `OwnerLink`."""
        self._hurry(name)
        place = self._places.get(name)
        is_asked = not self.is_alone and (place is None or place.refused is None)
        return self._desk.view(name) if is_asked else nobody(name)

    def _hurry(self, name: str, request: Request | None = None) -> bool:
        """Tell the owner now what waits, and the request too if there is a socket for it; whether there is."""
        with self._lock:
            _, owner = self._found(name)
            is_near = owner is not None and owner.near is not None and owner.near.is_open
            if owner is not None:
                owner.letters.hurry(name)
            if owner is not None and request is not None and is_near:
                owner.letters.request(request)
        self._send_soon(owner)
        return is_near

    def _found(self, name: str) -> tuple[Place | None, KnownOwner | None]:
        place = self._places.get(name)
        return place, None if place is None else self._owners.get(place.owner or "")

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
            self._send(owner, Correspondence.take_all)
        with self._lock:
            self._stopped = True
            self._stirred.notify_all()
        self._desk.close()
        self._finder.stop()
        self._near.close()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=1.0)

    # -- owners that are found and lost -----------------------------------------------------------------------------

    def _on_found(self, name: str, full_name: str, handle: Any) -> None:
        with self._lock:
            owner = self._owners.get(full_name)
            if owner is None:
                near = self._near.connect(self._board.near_address(full_name))
                owner = self._owners[full_name] = KnownOwner(full_name, handle, near)
            self._places[name].found(full_name, owner.letters)
            self._stirred.notify_all()

    def _on_died(self, full_name: str) -> None:
        """What it was not told is given back, and its names are without an owner."""
        with self._lock:
            owner = self._owners.pop(full_name, None)
            if owner is None:
                return
            places = [place for place in self._places.values() if place.owner == full_name]
            untold, asked = owner.letters.end()
        for place in places:
            place.lose()
        self._finder.look_for(place.name for place in places)
        disappoint(asked)
        self._give_back(untold)

    def _give_back(self, untold: Iterable[tuple[str, m.Event]]) -> None:
        untold = list(untold)
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
                dues = [due for owner in owners if (due := owner.letters.due_at()) is not None]
                wait_s = min([look_at, *dues]) - SYSTEM_CLOCK.now()
                if wait_s > 0:
                    self._stirred.wait(wait_s)
                owners = list(self._owners.values())
            now = SYSTEM_CLOCK.now()
            try:
                for owner in owners:
                    self._send(owner, lambda letters, now=now: letters.take(now))
                if now >= look_at:
                    look_at = now + LOOK_S
                    self._look_round(owners)
            except Exception:  # noqa: BLE001 - one name's defect must not end what tells of all others
                _LOG.exception("breakers: telling their owners failed; it goes on")

    def _look_round(self, owners: Sequence[KnownOwner]) -> None:
        for owner in owners:
            if owner.wants_line(SYSTEM_CLOCK.now()):
                owner.near = self._near.connect(self._board.near_address(owner.name))
        with self._lock:
            places = list(self._places.values())
        self._board.look_round(places)
        if not self._board.is_alive or any(place.slot is None for place in places):
            self._listen(owners)

    def _send_soon(self, owner: KnownOwner | None) -> None:
        """What cannot wait: here if that takes no wait, else on the thread that tells."""
        if owner is None or not owner.letters.is_urgent:
            return
        if owner.takes_at_once and owner.sending.acquire(blocking=False):
            try:
                self._take_and_send(owner, Correspondence.take_urgent)
            finally:
                owner.sending.release()
        else:
            with self._lock:
                self._stirred.notify_all()

    def _send(self, owner: KnownOwner, take: Callable[[Correspondence], Letter | None]) -> None:
        with owner.sending:
            self._take_and_send(owner, take)

    def _take_and_send(self, owner: KnownOwner, take: Callable[[Correspondence], Letter | None]) -> None:
        with self._lock:
            letter = take(owner.letters)
            introductions = tuple(self._places[name].introduction() for name in letter.names) if letter else ()
        if letter is None:
            return
        parcel = Parcel(
            process=self._process,
            node_id=self._node_id,
            identity=self._identity,
            introductions=introductions,
            events=letter.events,
            requests=letter.requests,
        )
        data = pickle.dumps(parcel, 5)
        owner.send(data, partial(self._on_reply, owner, letter.number))

    def _on_reply(self, owner: KnownOwner, number: int, reply: object) -> None:
        if isinstance(reply, ActorDiedError):
            self._finder.tell_dead(owner.name)
        with self._lock:
            events = owner.letters.settled(number)
        if not isinstance(reply, bytes):  # out of reach: whether it was told nobody knows
            self._fail(owner, events)
            self._give_back(events)
            return
        told: Reply = pickle.loads(reply)  # noqa: S301 - our own owner made it
        with self._lock:
            owner.letters.answered(told)
        for said in told.said:
            self._take(said, owner.name)
        self._answer(owner, told.answers)
        for name, error in told.refused:
            self._places[name].refuse(error)
        self._fail(owner, [(name, event) for name, event in events if name in told.unknown])

    def _answer(self, owner: KnownOwner, answers: Iterable[tuple[str, m.GrantPermit | m.RefusePermit]]) -> None:
        for name, answer in answers:
            with self._lock:
                asked = owner.letters.asker(name, answer)
                if isinstance(answer, m.GrantPermit) and asked is not None:
                    self._places[name].granted(answer)
            if asked is not None:
                asked.set_result(answer)

    def _fail(self, owner: KnownOwner, events: Iterable[tuple[str, m.Event]]) -> None:
        with self._lock:
            asked = owner.letters.unanswered(events)
        disappoint(asked)

    # -- hearing of changes -----------------------------------------------------------------------------------------

    def _take(self, said: Said, owner: str | None = None) -> None:
        place = self._places.get(said.name)
        if place is None:
            return
        place.take(said)
        if owner is not None and place.owner == owner:
            place.hear()

    def _listen(self, owners: Iterable[KnownOwner]) -> None:
        """Ask the owners what changes; one question at a time of each."""
        for owner in owners:
            if not owner.listening:
                owner.listening = True
                asked = owner.handle.news.remote(*owner.known, NEWS_S)
                when_answered(asked, partial(self._on_news, owner))

    def _on_news(self, owner: KnownOwner, reply: object) -> None:
        owner.listening = False
        if isinstance(reply, News):
            owner.known = (reply.incarnation, reply.number)
            for said in reply.said:
                self._take(said)
        with self._lock:
            self._stirred.notify_all()
