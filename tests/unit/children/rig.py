"""The calls of one process to a child whose actor the test plays, and who ticks them."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Generator
from random import Random
from typing import Any

from actors.runtime.clock import SYSTEM_CLOCK
from supervisor.children.calls import Calls
from supervisor.children.handle import ChildHandle
from supervisor.children.interface import ChildInterface
from supervisor.children.machine import CallMachine
from supervisor.children.settings import CallSettings
from tests.unit.children.fakes import Actor

KEY = "child/cart"
PATIENCE_S = 30.0


class Cart:
    """The child's class."""

    def add(self, *items: Any, **more: Any) -> int: ...

    def items(self) -> Generator[int]:
        yield 1


class Ticks:
    """A ticker that the test moves."""

    def __init__(self) -> None:
        self.woken: list[Any] = []
        self.hurries = 0

    def wake(self, ticked: Any) -> None:
        self.woken.append(ticked)

    def hurry(self) -> None:
        self.hurries += 1


class Rig:
    """Calls to one child whose incarnation 1 is at `actor`."""

    def __init__(self, **settings: Any) -> None:
        self.actors: dict[str, Any] = {"cart#1": Actor(), "cart#2": Actor()}
        self.ticks = Ticks()
        chosen = CallSettings(pause_s=0.001, **settings)
        self.calls = Calls(
            "default",
            ChildInterface.of(Cart),
            CallMachine(KEY, "me", chosen, Random(1), pickle.loads),
            actors=self,
            ticker=self.ticks,  # pyright: ignore[reportArgumentType]
            clock=SYSTEM_CLOCK,
            settings=chosen,
        )
        self.cart = ChildHandle(self.calls)
        self.calls.routed(KEY, 1, "cart#1")

    def handle(self, host: str) -> Any:
        return self.actors.get(host)

    @property
    def actor(self) -> Actor:
        return self.actors["cart#1"]

    def move(self) -> Actor:
        self.calls.routed(KEY, 2, "cart#2")
        return self.actors["cart#2"]

    def tick_until(self, condition: Callable[[], bool]) -> None:
        until = SYSTEM_CLOCK.now() + PATIENCE_S
        while not condition():
            assert SYSTEM_CLOCK.now() < until
            self.calls.tick()
