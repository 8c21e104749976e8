"""The owner of every breaker of a process without a cluster, in that process: no Ray, no thread of its own.

    circuit --tell, request_permit--> machine --word--> circuit, at once

It is a link like the one to the actors, so that handles and circuits know of no difference. What is due by time is done
by the process's keeper. A forked child takes a copy of all breakers with it: from then on they are two processes.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Any

from actors.breaker import messages as m
from actors.breaker.link import THIS_PROCESS, Follower, OwnerLink, Word
from actors.breaker.machine import BreakerMachine
from actors.breaker.open_waits import ask_open_wait
from actors.breaker.settings import BreakerSettings
from actors.runtime.asker import who

if TYPE_CHECKING:
    from actors.breaker.chance import Chance
    from actors.breaker.keeper import Keeper
    from actors.breaker.view import BreakerView
    from actors.runtime.clock import Clock

_LOCK = threading.Lock()
"""Of all machines, and held over a fork: a child that begins amid a change would have half of it."""


class _Owner:
    """One breaker.

    Attributes:
        words: One word, another one after each change.
        defined: Somebody said what it is to be.
    """

    def __init__(self, machine: BreakerMachine, *, defined: bool) -> None:
        self.machine = machine
        self.defined = defined
        self.words = [1]
        self.cause: m.Cause | None = None
        self.followers: list[Follower] = []

    def word(self, now: float) -> Word:
        return Word(published=self.machine.published(now), settings=self.machine.settings, cause=self.cause)


class _LocalAttachment:
    at = 0

    def __init__(self, link: LocalLink, name: str, words: list[int], follower: Follower) -> None:
        self.words: Sequence[int] = words
        self._link = link
        self._name = name
        self._follower = follower

    def read(self) -> tuple[int, Word] | None:
        return self._link.read(self._name)

    def detach(self) -> None:
        self._link.detach(self._name, self._follower)


class LocalLink:
    """The breakers of this process alone.

    Args:
        clock: Where the time comes from.
        rng: The source of chance.
        keeper: Who looks after what is due.
        supervisor: What stands for its name.
    """

    def __init__(self, *, clock: Clock, rng: Chance, keeper: Keeper, supervisor: str = THIS_PROCESS) -> None:
        self.supervisor = supervisor
        self.is_alone = False
        self._now = clock.now
        self._rng = rng
        self._keeper = keeper
        self._owners: dict[str, _Owner] = {}

    def check(self, name: str) -> None:
        """See `link.OwnerLink`: whoever keeps the circuits counts them."""

    def attach(self, name: str, settings: BreakerSettings | None, follower: Follower, *, process: str) -> Any:
        """See `link.OwnerLink`."""
        del process
        now = self._now()
        with _LOCK:
            owner = self._owners.get(name)
            if owner is None:
                machine = BreakerMachine(settings or BreakerSettings(), rng=self._rng, now=now)
                owner = self._owners[name] = _Owner(machine, defined=settings is not None)
            owner.followers.append(follower)
        follower.found()
        if settings is not None:
            self.define(name, settings)
        return _LocalAttachment(self, name, owner.words, follower)

    def detach(self, name: str, follower: Follower) -> None:
        """Tell this follower nothing more."""
        with _LOCK:
            owner = self._owners[name]
            owner.followers = [each for each in owner.followers if each is not follower]

    def read(self, name: str) -> tuple[int, Word]:
        """The word and what was said with it."""
        with _LOCK:
            owner = self._owners[name]
            return owner.words[0], owner.word(self._now())

    def define(self, name: str, settings: BreakerSettings) -> None:
        """See `link.OwnerLink`."""
        with _LOCK:
            owner = self._owners[name]
            is_first, owner.defined = not owner.defined, True
        if is_first:
            asked = m.ConfigureRequested(settings=settings, who=who(), reason="its first definition")
            self._handle(name, (asked,))

    def tell(self, name: str, events: Sequence[m.Event]) -> None:
        """See `link.OwnerLink`."""
        self._handle(name, events)

    def request_permit(self, name: str, request: m.PermitRequested) -> Future[m.GrantPermit | m.RefusePermit]:
        """See `link.OwnerLink`."""
        answer: Future[m.GrantPermit | m.RefusePermit] = Future()
        for command in self._handle(name, (request,)):
            if isinstance(command, m.GrantPermit | m.RefusePermit):
                answer.set_result(command)
        return answer

    def control(self, name: str, event: m.ControlRequested | m.ConfigureRequested) -> Future[None]:
        """See `link.OwnerLink`."""
        if isinstance(event, m.ConfigureRequested):
            with _LOCK:
                self._owners[name].defined = True
        self._handle(name, (event,))
        return _done(None)

    def view(self, name: str) -> Future[BreakerView]:
        """See `link.OwnerLink`."""
        self._handle(name, (m.TimePassed(),))
        with _LOCK:
            return _done(self._owners[name].machine.view(self._now()))

    def recipe(self, name: str) -> Callable[[], OwnerLink]:
        """See `link.OwnerLink`: elsewhere the name has the same settings, and a state of its own."""
        with _LOCK:
            settings = self._owners[name].machine.settings
        return partial(_link_with, name, settings)

    def forked(self, former: str, process: str) -> None:
        """See `link.OwnerLink`: the parent's permits are not out here."""
        del process
        now = self._now()
        for owner in self._owners.values():
            owner.followers.clear()
            owner.machine.handle(m.HolderDied(holder=former), now)

    def run(self, now: float) -> float | None:
        """See `keeper.Job`: the machines' timers."""
        with _LOCK:
            due = [(name, owner.machine.next_timer()) for name, owner in self._owners.items()]
        for name, at in due:
            if at is not None and at <= now:
                self._handle(name, (m.TimePassed(),))
        with _LOCK:
            timers = [owner.machine.next_timer() for owner in self._owners.values()]
        return min((at for at in timers if at is not None), default=None)

    def _handle(self, name: str, events: Sequence[m.Event]) -> list[m.Command]:
        now = self._now()
        with _LOCK:
            owner = self._owners[name]
            commands = [command for event in events for command in owner.machine.handle(event, now)]
            for command in commands:
                if isinstance(command, m.RecordTransition):
                    owner.cause = command.cause
            publishes = any(isinstance(command, m.Publish) for command in commands)
            owner.words[0] += publishes
            word, followers = owner.word(now), tuple(owner.followers)
            due_at, settings = owner.machine.next_timer(), owner.machine.settings
        if due_at is not None:
            self._keeper.wake(self, due_at)
        if publishes:
            for follower in followers:
                follower.follow(word)
        for command in commands:
            if isinstance(command, m.AskOpenWait):
                ask_open_wait(name, settings, command.openings, partial(self._answer_wait, name, command.generation))
        return commands

    def _answer_wait(self, name: str, generation: int, wait_s: float | None) -> None:
        self._handle(name, (m.OpenWaitAnswered(generation=generation, wait_s=wait_s),))


def _link_with(name: str, settings: BreakerSettings) -> OwnerLink:
    from actors.breaker.registry import REGISTRY  # noqa: PLC0415 - the registry makes links of this kind

    REGISTRY.local(name, settings)
    return REGISTRY.local_link


def _done(result: Any) -> Future[Any]:
    done: Future[Any] = Future()
    done.set_result(result)
    return done


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_LOCK.acquire, after_in_parent=_LOCK.release, after_in_child=_LOCK.release)
