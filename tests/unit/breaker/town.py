"""Breakers of a process without a cluster in virtual time: handles, circuits, their link and their keeper."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from actors.breaker import messages as m
from actors.breaker.handle import BreakerHandle
from actors.breaker.keeper import Keeper
from actors.breaker.local_link import LocalLink
from actors.breaker.registry import Registry
from actors.breaker.settings import BreakerSettings
from tests.unit.breaker.scene import Steady, fast


class VirtualClock:
    """Time that the test moves."""

    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        return self.time

    def now_ns(self) -> int:
        return int(self.time * 1e9)

    def wall_us(self) -> int:
        return 0


class BreakError(Exception):
    """What the guarded calls of the tests raise."""


def good(result: Any = "fine") -> Any:
    return result


def bad() -> None:
    raise BreakError("no answer")


class Town:
    """One process."""

    def __init__(self, **fields: Any) -> None:
        self.clock = VirtualClock()
        self.keeper = Keeper(clock=self.clock, threaded=False)
        self.registry = Registry(clock=self.clock, rng=Steady(), keeper=self.keeper)
        self.link: LocalLink = self.registry.local_link
        self.settings = fast(**fields)
        self.breaker = self.handle("b", self.settings)

    def handle(self, name: str, settings: BreakerSettings | None = None) -> BreakerHandle:
        return BreakerHandle(self.registry.local(name, settings))

    @property
    def circuit(self) -> Any:
        return self.breaker._circuit

    def later(self, seconds: float) -> None:
        """Time passes, and what is due in it happens when it is due."""
        until = self.clock.time + seconds
        while True:
            due = self.keeper.run_due(self.clock.time)
            if due is None or due > until:
                break
            self.clock.time = max(self.clock.time, due)
        self.clock.time = until
        self.keeper.run_due(until)

    def fail(self, times: int = 1) -> None:
        for _ in range(times):
            with pytest.raises(BreakError):
                self.breaker.call(bad)

    def opened(self) -> Town:
        self.fail(2)
        assert self.breaker.state == "open"
        return self

    def half_opened(self) -> Town:
        self.opened()
        self.later(5.0)
        assert self.breaker.state == "half_open"
        return self

    @property
    def view(self) -> Any:
        self.circuit.flush()
        return self.link.view("b").result()

    def slow_owner(self) -> SlowOwner:
        """From now on the owner answers requests to probe when the test says so."""
        return SlowOwner(self.link)


class SlowOwner:
    """Holds the owner's answers to requests back."""

    def __init__(self, link: LocalLink) -> None:
        self._ask: Callable[..., Any] = link.request_permit
        self.waiting: list[tuple[Future[Any], str, m.PermitRequested]] = []
        link.request_permit = self._hold

    def _hold(self, name: str, request: m.PermitRequested) -> Future[Any]:
        answer: Future[Any] = Future()
        self.waiting.append((answer, name, request))
        return answer

    def answer(self) -> None:
        held, name, request = self.waiting.pop(0)
        held.set_result(self._ask(name, request).result())

    def fail(self) -> None:
        self.waiting.pop(0)[0].set_exception(ConnectionError("the owner is gone"))
