"""A plain child's actor in this process, the classes that users write for it, and a caller."""

from __future__ import annotations

import sys
import threading
from typing import Any, ClassVar

from actors.child.execute import leave_child
from actors.child.protocol import Answer
from actors.runtime.errors import (
    IgnoreChild,
)
from tests.unit.child.scene import Caller, ChildHere, MemoryPorts, recipe, value_of

KEY = "child/a"


class Counter:
    """The users' class of these tests."""

    def __init__(self, start: int = 0) -> None:
        self.total = start

    def add(self, number: int) -> int:
        self.total += number
        return self.total

    def fail(self) -> None:
        self.total += 100
        raise KeyError("no such item")

    def leave(self, code: int | None = None) -> None:
        sys.exit(code)

    def exit_actor(self) -> None:
        leave_child()

    async def add_soon(self, number: int) -> int:
        return self.add(number)

    def spoil(self) -> None:
        self.lock = threading.Lock()

    def generator(self) -> Any:
        return (number for number in range(3))

    def count(self, number: int, end: str = "") -> Any:
        for item in range(number):
            self.total += 1
            yield item
        if end == "fail":
            raise KeyError("no more")
        if end == "exit":
            sys.exit(0)
        if end == "lock":
            yield threading.Lock()


class Careful(Counter):
    """With every hook."""

    said: ClassVar[list[str]] = []
    verdict: ClassVar[Any] = True

    def checkpoint(self) -> int:
        return self.total

    def restore(self, state: int) -> None:
        self.total = state

    def health(self) -> Any:
        if isinstance(self.verdict, Exception):
            raise self.verdict
        return self.verdict

    def stop(self) -> None:
        self.said.append(f"stopped at {self.total}")
        self.total += 1000


class Home:
    """One child's actor, and a caller of it."""

    def __init__(
        self, cls: type[Any] = Counter, *args: Any, role: Any = "active", incarnation: int = 1, **changes: Any
    ) -> None:
        self.ports = changes.pop("ports", None) or MemoryPorts()
        self.shell: Any = ChildHere(f"s/{KEY}#{incarnation}", 1, self.ports)
        self.recipe = recipe(cls, *args, **changes)
        self.caller = Caller(incarnation=incarnation)
        self.built = self.shell.build(1, self.recipe, incarnation, role)

    def call(self, method: str, *args: Any) -> Answer:
        return self.shell.call(KEY, self.caller.header(method), self.caller.payload(*args))

    def value(self, method: str, *args: Any) -> Any:
        return value_of(self.call(method, *args))

    def stream(self, method: str, *args: Any) -> Any:
        return self.shell.stream(KEY, self.caller.header(method), self.caller.payload(*args))

    @property
    def ended(self) -> list[str]:
        return self.shell._me.ended


class Slotted:
    """Has neither a `__dict__` nor hooks."""

    __slots__ = ()

    def touch(self) -> None:
        """Nothing to do."""


class HalfHooked(Slotted):
    """Says its state and cannot take it up."""

    __slots__ = ()

    def checkpoint(self) -> list[int]:
        return [1]


class Refusing:
    """Has nothing to do."""

    def __init__(self) -> None:
        raise IgnoreChild


class Broken:
    """Cannot be built."""

    def __init__(self, code: Any) -> None:
        if code == "raise":
            raise ValueError("no such bank")
        sys.exit(code)


class Stubborn(Counter):
    """Does not stop in order."""

    def stop(self) -> None:
        raise RuntimeError("not now")
