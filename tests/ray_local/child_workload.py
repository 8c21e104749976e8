"""Users' classes for the tests of children: workers import this module."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from typing import Any

import ray

from actors.runtime.errors import IgnoreChild
from tests.ray_local.workload import mark, wait_for_file


class Cart:
    """A plain class with state and one of everything."""

    def __init__(self, how: str = "") -> None:
        if how == "ignore":
            raise IgnoreChild
        if how == "raise":
            raise ValueError("no such shop")
        if how == "exit":
            sys.exit(0)
        self.items: list[int] = []

    def add(self, item: int) -> int:
        self.items.append(item)
        return len(self.items)

    def add_and_mark(self, item: int, path: str) -> int:
        mark(path, str(item))
        return self.add(item)

    def all(self) -> list[int]:
        return self.items

    def pid(self) -> int:
        return os.getpid()

    def wait_for(self, path: str) -> None:
        """Hold the child's thread until a file exists."""
        wait_for_file(path)

    def each(self) -> Any:
        yield from self.items

    def endless(self, path: str) -> Any:
        try:
            number = 0
            while True:
                number += 1
                yield number
        finally:
            mark(path, "ended")

    def leave(self, code: int) -> None:
        sys.exit(code)

    def exit_actor(self) -> None:
        ray.actor.exit_actor()  # pyright: ignore[reportAttributeAccessIssue] - Ray's stubs do not name it

    def reference(self) -> Any:
        return [ray.put("referenced")]

    def fetch(self, references: list[Any]) -> Any:
        return ray.get(references[0])

    def fail(self) -> None:
        raise KeyError("no such item")


class Sick(Cart):
    """Says that it is unhealthy, and where it was stopped."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def health(self) -> bool:
        return False

    def stop(self) -> None:
        mark(self.path, f"stopped with {len(self.items)}")


class Deadly(Cart):
    """Kills its own process when asked to."""

    def die(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class Ledger:
    """Bound to its thread: sqlite3 refuses any other."""

    def __init__(self) -> None:
        self.rows = sqlite3.connect(":memory:")
        self.rows.execute("create table rows (value)")

    def insert(self, value: int) -> int:
        self.rows.execute("insert into rows values (?)", (value,))
        return self.rows.execute("select count(*) from rows").fetchone()[0]

    def checkpoint(self) -> list[int]:
        return [value for (value,) in self.rows.execute("select value from rows")]

    def restore(self, values: list[int]) -> None:
        self.rows.executemany("insert into rows values (?)", [(value,) for value in values])


class SoonCart:
    """A class with coroutines."""

    def __init__(self) -> None:
        self.items: list[int] = []

    async def add(self, item: int) -> int:
        await asyncio.sleep(0)
        self.items.append(item)
        return len(self.items)

    def all(self) -> list[int]:
        return self.items

    def wait_for(self, path: str) -> None:
        """Block the loop until a file exists: a coroutine should not, and some do."""
        wait_for_file(path)

    async def each(self) -> Any:
        for item in self.items:
            await asyncio.sleep(0)
            yield item

    async def endless(self, path: str) -> Any:
        try:
            number = 0
            while True:
                number += 1
                await asyncio.sleep(0)
                yield number
        finally:
            mark(path, "ended")

    async def leave(self, code: int) -> None:
        sys.exit(code)
