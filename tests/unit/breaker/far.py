"""Owners of breakers that only Ray is missing of, and one process's way to them, over real sockets and boards."""

from __future__ import annotations

import pickle
import queue
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ray.exceptions import ActorDiedError

from actors.breaker import messages as m
from actors.breaker.errors import TooManyBreakersError
from actors.breaker.link import Word
from actors.breaker.noticeboard import Noticeboard
from actors.breaker.packing import pack_settings
from actors.breaker.parcels import Parcel, Reply, Said
from actors.breaker.published import Published
from actors.breaker.remote import RayLink
from actors.service.near import NearServer, near_address
from supervisor.link import wait_until
from tests.unit.breaker.scene import fast

WAIT_S = 30.0
FIRST, SECOND = "s/breaker/bank#1", "s/breaker/bank#2"
FAILED = m.OutcomesReported(reporter="p", generation=1, outcomes=b"\1")
GOOD = m.OutcomesReported(reporter="p", generation=1, outcomes=b"\0")
ASK = m.PermitRequested(holder="p", request=1)
GRANT = m.GrantPermit(holder="p", request=1, permit=9, generation=1, lease_s=30.0)


class Reference:
    """A call under way."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[Any], None]] = []

    def _on_completed(self, callback: Callable[[Any], None]) -> None:
        self._callbacks.append(callback)

    def answer(self, value: Any) -> None:
        for callback in self._callbacks:
            callback(value)


class Method:
    """One of an actor's."""

    def __init__(self, call: Callable[..., Any] | None = None) -> None:
        self._call = call
        self.calls: list[Reference] = []

    def remote(self, *arguments: Any) -> Reference:
        made = Reference()
        self.calls.append(made)
        if self._call is not None:
            answer, added = self._call(*arguments), made._on_completed
            made._on_completed = lambda callback: (added(callback), callback(answer))  # type: ignore[method-assign]
        return made


class Owner:
    """An actor that owns breakers: it keeps what it is told, and answers as it is bidden."""

    def __init__(self) -> None:
        self.told: queue.Queue[Parcel] = queue.Queue()
        self.reply = Reply()
        self.full: TooManyBreakersError | None = None
        self.settings = fast()
        self.exchange, self.watch, self.news = Method(self.take), Method(), Method()
        self.steer = Method(self.refuse)

    def take(self, data: bytes) -> bytes:
        parcel: Parcel = pickle.loads(data)
        self.told.put(parcel)
        if self.full is not None:
            return pickle.dumps(Reply(refused=tuple((each.name, self.full) for each in parcel.introductions)))
        known = tuple(
            Said(
                name=each.name, published=Published(state="closed", generation=1), settings=pack_settings(self.settings)
            )
            for each in parcel.introductions
        )
        answers = tuple((name, GRANT) for name, event in parcel.events if isinstance(event, m.PermitRequested))
        return pickle.dumps(Reply(said=known, answers=answers, unknown=self.reply.unknown, refused=self.reply.refused))

    @staticmethod
    def refuse(*_: Any) -> None:
        raise RuntimeError("this owner answers nobody")

    def hear(self, wanted: Callable[[Parcel], bool]) -> Parcel:
        while True:
            parcel = self.told.get(timeout=WAIT_S)
            if wanted(parcel):
                return parcel

    def die(self) -> None:
        for call in self.watch.calls:
            call.answer(ActorDiedError())


class Follower:
    """A circuit."""

    def __init__(self) -> None:
        self.heard = False
        self.lost_times = 0
        self.given_back: list[m.Event] = []
        self.words: list[Word] = []

    def follow(self, word: Word) -> None:
        self.words.append(word)

    def untold(self, events: Any) -> None:
        self.given_back += events

    def lost(self) -> None:
        self.heard = False
        self.lost_times += 1

    def found(self) -> None:
        self.heard = True


class Cluster:
    """Owners by name; the last one that runs has the breaker."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.owners: dict[str, Owner] = {}
        self.servers: list[NearServer] = []
        self.wanted: list[str] = []
        self.running: str | None = None
        self.cap = 4
        self.link = RayLink(
            "s",
            self,
            recipe=lambda: self.link,
            node_id="n",
            board=Noticeboard(self.path),
            lookup=self.find,
        )
        self.follower = Follower()

    def path(self, key: str | None) -> Path:
        return self.folder / (key or "agent").replace("/", "-")

    def run(self, name: str, *, near: bool = True) -> Owner:
        owner = self.owners[name] = Owner()
        if near:
            self.servers.append(NearServer(near_address(self.path(None), name), owner.take))
        self.running = name
        self.link.stir()
        return owner

    def lose(self) -> None:
        name, self.running = self.running, None
        self.servers.pop().close()
        self.owners[str(name)].die()

    def find(self, name: str) -> Any:
        if name not in self.owners:
            raise ValueError(name)
        return self.owners[name]

    def owner_of(self, name: str) -> str | None:
        del name
        return self.running

    def names_max(self) -> int:
        return self.cap

    def want(self, name: str, timeout_s: float = 0.0) -> None:
        del timeout_s
        self.wanted.append(name)

    def attach(self) -> Follower:
        self.link.attach("bank", fast(), self.follower, process="p")
        return self.follower

    def heard(self) -> None:
        assert wait_until(lambda: self.follower.heard, WAIT_S)
