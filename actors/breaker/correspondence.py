"""What one process and one life of a breakers' owner have to say to each other, until it is said. Pure; not locked.

    introduce, tell, ask --take--> letter (numbered) --answered | unanswered--> settled
                                                        +--all is lost, the owner died--> given back

A name is introduced again until the owner takes it. A request for a permit waits for its answer by its own number.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from actors.breaker import messages as m
from actors.breaker.errors import BreakerUnreachableError
from actors.breaker.outbox import Events, Outbox

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actors.breaker.parcels import Reply, Request

INTRODUCE_AGAIN_S = 0.1
INTRODUCTIONS_MAX = 500

Asked = tuple[str, Future[Any]]
"""The breaker that a permit was asked of, and who waits for the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is told in one call.

    Attributes:
        number: To be given back with its answer.
        names: Breakers that the owner is to be introduced to.
        events: What happened, oldest first, each with the breaker's name.
        requests: What people ask for.
    """

    number: int
    names: tuple[str, ...] = ()
    events: tuple[tuple[str, m.Event], ...] = ()
    requests: tuple[Request, ...] = ()


class Correspondence:
    """With one life of an owner."""

    def __init__(self) -> None:
        self._outbox = Outbox()
        self._introduce: dict[str, float] = {}
        self._requests: list[Request] = []
        self._in_flight: dict[int, tuple[tuple[str, m.Event], ...]] = {}
        self._asked: dict[tuple[str, str, int], Future[Any]] = {}
        self._number = 0

    # -- what is to be said -----------------------------------------------------------------------------------------

    def introduce(self, name: str) -> None:
        """The owner is to know that this process uses a breaker, and how."""
        self._introduce[name] = 0.0

    def tell(self, name: str, events: Iterable[m.Event], now: float) -> Events:
        """These happened; returns those that will not be told, because too much is waiting."""
        return self._outbox.add(name, events, now)

    def ask(self, name: str, request: m.PermitRequested, now: float) -> Future[Any]:
        """A call wants to probe; the future of the answer."""
        asked: Future[Any] = Future()
        self._asked[name, request.holder, request.request] = asked
        self._outbox.add(name, (request,), now)
        return asked

    def request(self, request: Request) -> None:
        """Somebody asks for something."""
        self._requests.append(request)

    def hurry(self, name: str) -> None:
        """Somebody wants to see what this breaker's calls came to."""
        self._outbox.hurry(name)

    # -- saying it --------------------------------------------------------------------------------------------------

    @property
    def is_urgent(self) -> bool:
        """Whether something is to be said at once."""
        return bool(self._requests) or self._outbox.is_urgent

    def due_at(self) -> float | None:
        """When `take` has something to give, monotonic seconds, or None."""
        if self._requests:
            return float("-inf")
        at = [self._outbox.due_at(), min(self._introduce.values(), default=None)]
        return min((each for each in at if each is not None), default=None)

    def take(self, now: float) -> Letter | None:
        """What is to be said now; it is then under way."""
        names = tuple(name for name, at in self._introduce.items() if at <= now)[:INTRODUCTIONS_MAX]
        for name in names:
            self._introduce[name] = now + INTRODUCE_AGAIN_S
        return self._letter(self._outbox.take(now), names)

    def take_urgent(self) -> Letter | None:
        """Only what cannot wait: little, however much else does."""
        return self._letter(self._outbox.take_urgent())

    def take_all(self) -> Letter | None:
        """All that happened, as nothing will be said later."""
        return self._letter(self._outbox.drain())

    def _letter(self, events: Events, names: tuple[str, ...] = ()) -> Letter | None:
        requests, self._requests = tuple(self._requests), []
        if not (events or names or requests):
            return None
        self._number += 1
        letter = Letter(number=self._number, names=names, events=tuple(events), requests=requests)
        self._in_flight[letter.number] = letter.events
        return letter

    # -- what comes of it -------------------------------------------------------------------------------------------

    def settled(self, number: int) -> tuple[tuple[str, m.Event], ...]:
        """An answer came, or none will; returns what the letter told."""
        return self._in_flight.pop(number, ())

    def answered(self, told: Reply) -> None:
        """The owner knows some names by now, or does not take them, and is to be introduced to others."""
        for name in (*(said.name for said in told.said), *(name for name, _ in told.refused)):
            self._introduce.pop(name, None)
        for name in told.unknown:
            self.introduce(name)

    def asker(self, name: str, answer: m.GrantPermit | m.RefusePermit) -> Future[Any] | None:
        """Who waits for this answer."""
        return self._asked.pop((name, answer.holder, answer.request), None)

    def unanswered(self, events: Iterable[tuple[str, m.Event]]) -> list[Asked]:
        """Those of these that ask for a permit will have no answer; returns who waits for it."""
        asked: list[Asked] = []
        for name, event in events:
            if isinstance(event, m.PermitRequested):
                waiting = self._asked.pop((name, event.holder, event.request), None)
                asked += () if waiting is None else ((name, waiting),)
        return asked

    def end(self) -> tuple[Events, list[Asked]]:
        """The owner died: what it was perhaps not told, and who waits for its answers."""
        untold = [event for events in self._in_flight.values() for event in events] + self._outbox.drain()
        asked = [(name, waiting) for (name, _, _), waiting in self._asked.items()]
        self._in_flight.clear()
        self._asked.clear()
        return untold, asked


def nobody(name: str) -> Future[Any]:
    """What is asked of a breaker whose owner is not known."""
    failed: Future[Any] = Future()
    failed.set_exception(_lost(name))
    return failed


def disappoint(asked: Iterable[Asked]) -> None:
    """No answer will come."""
    for name, waiting in asked:
        waiting.set_exception(_lost(name))


def _lost(name: str) -> BreakerUnreachableError:
    return BreakerUnreachableError(name, what="a permit", reason="it has ended, or cannot be reached")
