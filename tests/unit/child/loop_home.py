"""An asynchronous or shared host in this process, the classes that users write for it, and its callers."""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import Any, ClassVar

from actors.child.protocol import BUILT
from tests.unit.child.scene import DEADLINE_S, Caller, HostHere, MemoryPorts, SharedHere, recipe, value_of

KEY = "child/a"


class Soon:
    """The users' class of these tests: its methods are coroutines, one is not."""

    def __init__(self, start: int = 0) -> None:
        self.total = start
        self.most = 0
        self.now = 0

    async def add(self, number: int) -> int:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.total += number
        self.now -= 1
        return self.total

    def plain(self) -> tuple[int, str]:
        return self.total, threading.current_thread().name

    async def most_at_once(self) -> int:
        return self.most

    async def wait(self) -> None:
        await asyncio.sleep(DEADLINE_S * 10)

    async def leave(self, code: int) -> None:
        sys.exit(code)

    async def count(self, number: int, end: str = "") -> Any:
        for item in range(number):
            await asyncio.sleep(0)
            yield item
        if end == "fail":
            raise KeyError("no more")
        if end == "exit":
            sys.exit(3)
        if end == "lock":
            yield threading.Lock()

    def count_plainly(self, number: int) -> Any:
        yield from range(number)

    async def spoil(self) -> None:
        self.lock = threading.Lock()


class SoonCareful(Soon):
    """With every hook, as coroutines."""

    said: ClassVar[list[str]] = []

    async def checkpoint(self) -> int:
        return self.total

    async def restore(self, state: int) -> None:
        self.total = state

    async def health(self) -> bool:
        return False

    async def stop(self) -> None:
        self.said.append(f"stopped at {self.total}")
        raise RuntimeError("not quite")


class Home:
    """A host, and one caller of each child in it."""

    def __init__(self, *, shared: bool = False, incarnation: int = 1, ports: MemoryPorts | None = None) -> None:
        self.ports = ports or MemoryPorts()
        self.incarnation = incarnation
        name = "s/child/host#1" if shared else f"s/{KEY}#{incarnation}"
        self.shell: Any = (SharedHere if shared else HostHere)(name, 1, self.ports)
        self.callers: dict[str, Caller] = {}

    async def build(
        self, cls: type[Any] = Soon, *args: Any, key: str = KEY, role: Any = "active", **changes: Any
    ) -> bytes:
        asynchronous = issubclass(cls, Soon)
        made = recipe(cls, *args, key=key, asynchronous=asynchronous, **changes)
        return await self.shell.build(1, made, self.incarnation, role)

    def caller(self, key: str = KEY) -> Caller:
        return self.callers.setdefault(key, Caller(incarnation=self.incarnation))

    def call(self, method: str, *args: Any, key: str = KEY) -> Any:
        return self.shell.call(key, self.caller(key).header(method), Caller.payload(*args))

    async def value(self, method: str, *args: Any, key: str = KEY) -> Any:
        return value_of(await self.call(method, *args, key=key))

    def stream(self, method: str, *args: Any, key: str = KEY) -> Any:
        return self.shell.stream(key, self.caller(key).header(method), Caller.payload(*args))

    @property
    def ended(self) -> list[str]:
        return self.shell._me.ended


async def home_of(cls: type[Any] = Soon, *args: Any, **changes: Any) -> Home:
    keep = {name: changes.pop(name) for name in ("incarnation", "ports") if name in changes}
    home = Home(**keep)
    assert await home.build(cls, *args, **changes) == BUILT
    return home
