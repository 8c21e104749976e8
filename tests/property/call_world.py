"""A world for the call machines: children with the real rules of numbering, a network, a supervisor, a virtual clock.

Each key has one accepted incarnation. An incarnation runs a client's calls one at a time, in order, and remembers its
answers; with `each_call` its successor inherits state and answers as they were when the last answer left. Sends and
answers take a random time, may be lost (the caller is told "unavailable") or overtake each other. Processes die, are
fenced while they run, come back later; the supervisor's news comes late.
"""

from __future__ import annotations

import heapq
import pickle
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

from actors.child.protocol import CallHeader
from actors.recovery.retry import Retry
from supervisor.children import call as do
from supervisor.children.call import Call, Sent
from supervisor.children.machine import CallMachine
from supervisor.children.pool import PoolMachine
from supervisor.children.settings import CallSettings

LATENCY_S = 0.002
KEY = "child/c"


class FlakyError(Exception):
    """What a user's method raises."""


@dataclass
class Client:
    """What an incarnation knows of one client."""

    expected: int
    answers: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    running: set[int] = field(default_factory=set[int])
    begun: set[int] = field(default_factory=set[int])


@dataclass
class Life:
    """One incarnation."""

    key: str
    incarnation: int
    clients: dict[str, Client] = field(default_factory=dict)
    queue: list[tuple[Any, ...]] = field(default_factory=list)
    busy: bool = False
    alive: bool = True
    fenced: bool = False


@dataclass
class History:
    """What happened to one call."""

    call: Call
    raises: int = 0
    effects: list[str] = field(default_factory=list)
    kept_effects: int = 0
    ended: list[Any] = field(default_factory=list)


class World:
    """Everything around one machine; with `members` a pool's, else one child's."""

    def __init__(self, seed: int, *, each_call: bool = False, members: int = 0, **settings: Any) -> None:
        self.rng = Random(seed)
        self.now = 0.0
        self.each_call = each_call
        chosen = CallSettings(**settings)
        self.keys = [f"child/p-{n}" for n in range(members)] or [KEY]
        self.machine: Any = (
            PoolMachine("p", "client", chosen, self.rng, pickle.loads)
            if members
            else CallMachine(KEY, "client", chosen, self.rng, pickle.loads, replayable=each_call)
        )
        self.lives: dict[tuple[str, int], Life] = {}
        self.accepted: dict[str, int] = dict.fromkeys(self.keys, 0)
        self.stored: dict[str, dict[str, Client]] = {key: {} for key in self.keys}
        self.histories: list[History] = []
        self.starts: dict[tuple[str, int], list[int]] = {}
        self.duplicates = 0.0
        self.losses = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        for key in self.keys:
            self.start(key)
        self.advance(0.01)

    # -- what the caller does ----------------------------------------------------------------------------------------

    def make(self, retry: Retry, *, timeout_s: float | None = None, raises: int = 0) -> None:
        index = len(self.histories)
        call = Call(str(index), b"", (), retry, timeout_s)
        self.histories.append(History(call, raises))
        self.obey(self.machine.made(call, self.now))

    def cancel(self, index: int) -> None:
        history = self.histories[index]
        self.obey(self.machine.given_up(history.call))
        if not history.ended:
            history.ended.append("cancelled")

    # -- the cluster -------------------------------------------------------------------------------------------------

    def start(self, key: str) -> None:
        """A new incarnation is accepted, and announced some time later."""
        number = self.accepted[key] = self.accepted[key] + 1
        clients = self.stored[key] if self.each_call else {}
        inherited = {name: Client(one.expected, dict(one.answers)) for name, one in clients.items()}
        self.lives[key, number] = Life(key, number, inherited)
        self.announce(key)

    def announce(self, key: str) -> None:
        number = self.accepted[key]

        def arrive() -> None:
            self.obey(self.machine.routed(key, number, f"{key}#{number}", self.now))

        self.later(self.rng.random() * 0.01, arrive)

    def current(self, key: str) -> Life:
        return self.lives[key, self.accepted[key]]

    def kill(self, key: str, *, told: bool) -> None:
        """The process ends; the kernel may tell the caller before Ray and the supervisor do."""
        life = self.current(key)
        life.alive = False
        if told:
            self.later(0.001, lambda: self.obey(self.machine.died(key, life.incarnation, self.now)))
        self.later(0.005 + self.rng.random() * 0.05, lambda: self.replace(key, life.incarnation))

    def fence(self, key: str) -> None:
        """A living one is replaced; it answers "stale" from now on, whatever it runs."""
        life = self.current(key)
        life.fenced = True
        self.replace(key, life.incarnation)

    def replace(self, key: str, incarnation: int) -> None:
        if self.accepted[key] == incarnation:
            if self.rng.random() < 0.3:
                self.obey(self.machine.routed(key, incarnation, None, self.now))
            self.start(key)

    # -- time --------------------------------------------------------------------------------------------------------

    def later(self, delay_s: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.now + delay_s, next(self._order), act))

    def advance(self, seconds: float, steps: int = 200_000) -> None:
        until = self.now + seconds
        for _ in range(steps):
            due = self.machine.next_timer()
            event_at = self._events[0][0] if self._events else None
            at = min((when for when in (due, event_at) if when is not None), default=None)
            if at is None or at > until:
                self.now = until
                return
            self.now = max(self.now, at)
            if event_at is not None and event_at <= self.now:
                heapq.heappop(self._events)[2]()
            else:
                self.obey(self.machine.timer(self.now))
        raise AssertionError("the world does not come to rest")

    def settle_down(self) -> None:
        """Nothing happens any more; everything has time to end."""
        self.losses = self.duplicates = 0.0
        for _ in range(30):
            self.advance(2.0)
            if not self.machine.busy:
                break

    # -- the shell ---------------------------------------------------------------------------------------------------

    def obey(self, commands: list[do.Command]) -> None:
        for command in commands:
            match command:
                case do.SendCall():
                    self._send(command)
                case do.ResolveCall(call=call):
                    self._of(call).ended.append("ok")
                case do.FailCall(call=call, error=error):
                    self._of(call).ended.append(error)
                case do.LookOut():
                    pass
                case _:
                    raise AssertionError(command)

    def _of(self, call: Call) -> History:
        return self.histories[int(call.method)]

    def _send(self, command: do.SendCall) -> None:
        life = self.lives[command.sent.key, command.sent.incarnation]
        assert command.host == f"{life.key}#{life.incarnation}"
        delay_s = self.rng.random() * LATENCY_S
        if self.rng.random() < self.losses:
            self.later(delay_s, lambda: self._event(self.machine.unavailable, command.sent))
            return
        self.later(delay_s, lambda: self._arrive(life, command.header, command.sent))
        if self.rng.random() < self.duplicates:
            self.later(delay_s * 2, lambda: self._arrive(life, command.header, command.sent))

    def _event(self, tell: Callable[..., list[do.Command]], sent: Sent, *more: Any) -> None:
        self.obey(tell(sent, *more, self.now))

    def _answer(self, sent: Sent, kind: str, payload: bytes = b"") -> None:
        delay_s = self.rng.random() * LATENCY_S
        if self.rng.random() < self.losses:
            self.later(delay_s, lambda: self._event(self.machine.unavailable, sent))
        else:
            self.later(delay_s, lambda: self._event(self.machine.answered, sent, kind, payload, ()))

    # -- a child -----------------------------------------------------------------------------------------------------

    def _arrive(self, life: Life, header: CallHeader, sent: Sent) -> None:
        name, number, settled, method, _ = header
        if not life.alive:
            self._event(self.machine.lost, sent)
            return
        if life.fenced:
            self._refuse(life, name, sent)
            return
        client = life.clients.setdefault(name, Client(settled + 1))
        client.expected = max(client.expected, settled + 1)
        client.answers = {n: answer for n, answer in client.answers.items() if n > settled}
        if number > client.expected:
            self._answer(sent, "expected", str(client.expected).encode())
        elif number in client.answers:
            self._answer(sent, *client.answers[number])
        elif number < client.expected and number not in client.running:
            self._answer(sent, "forgotten")
        else:
            if number == client.expected:
                client.expected += 1
                client.running.add(number)
            life.queue.append((name, number, int(method), sent))
            self._run_next(life)

    def _refuse(self, life: Life, name: str, sent: Sent) -> None:
        """It is over; what it never began, by any sending, it says so of."""
        begun = name in life.clients and sent.number in life.clients[name].begun
        self._answer(sent, "stale", b"" if begun else b"not run")

    def _run_next(self, life: Life) -> None:
        if life.busy or not life.queue:
            return
        name, number, index, sent = life.queue.pop(0)
        client = life.clients[name]
        if number not in client.running:  # a duplicate that waited
            self._answer(sent, *client.answers.get(number, ("forgotten", b"")))
            self._run_next(life)
            return
        life.busy = True
        client.begun.add(number)
        self.histories[index].effects.append(f"{life.key}#{life.incarnation}")
        self.starts.setdefault((life.key, life.incarnation), []).append(index)
        self.later(self.rng.random() * 0.003, lambda: self._end(life, client, number, index, sent))

    def _end(self, life: Life, client: Client, number: int, index: int, sent: Sent) -> None:
        life.busy = False
        if not life.alive:
            self._event(self.machine.lost, sent)
        elif life.fenced:
            self._answer(sent, "stale")
        else:
            history = self.histories[index]
            answer = ("ok", b"")
            if history.raises:
                history.raises -= 1
                answer = ("error", pickle.dumps(FlakyError("no")))
            else:
                history.kept_effects += 1
            client.running.discard(number)
            client.answers[number] = answer
            if self.each_call:
                self.stored[life.key] = {
                    name: Client(min([one.expected, *one.running]), dict(one.answers))
                    for name, one in life.clients.items()
                }
            self._answer(sent, *answer)
        queue, life.queue = life.queue, []
        if life.alive and not life.fenced:
            life.queue = queue
            self._run_next(life)
            return
        for waiting_name, _, _, waiting in queue:
            if life.alive:
                self._refuse(life, waiting_name, waiting)
            else:
                self._event(self.machine.lost, waiting)

    # -- what must be true -------------------------------------------------------------------------------------------

    def check(self) -> None:
        assert not self.machine.busy
        assert self.machine.unfinished == 0
        assert Counter(len(history.ended) for history in self.histories) in ({}, {1: len(self.histories)})
