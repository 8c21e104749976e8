"""Users' classes for the tests of supervised children: plain ones, as a user has them."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from supervisor import IgnoreChild


class Ward:
    """Counts, knows its process, and ends as it is told."""

    def __init__(self, start: int = 0) -> None:
        self.count = start

    def add(self, number: int = 1) -> int:
        self.count += number
        return self.count

    def seen(self) -> int:
        return self.count

    def pid(self) -> int:
        return os.getpid()

    def leave(self, code: int) -> None:
        sys.exit(code)

    def die(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def stall(self) -> None:
        """Never returns."""
        threading.Event().wait()

    def fail(self) -> None:
        raise KeyError("nothing of that name")

    def letters(self, text: str) -> Iterator[str]:
        yield from text


class AsyncWard:
    """The same on an event loop."""

    def __init__(self) -> None:
        self.calls = 0

    async def echo(self, value: Any) -> Any:
        self.calls += 1
        await asyncio.sleep(0)
        return value

    async def letters(self, text: str) -> AsyncIterator[str]:
        for letter in text:
            yield letter


class Ledgered:
    """Its object is bound to the thread that built it."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:")
        self.connection.execute("create table sums (value integer)")

    def put(self, value: int) -> int:
        self.connection.execute("insert into sums values (?)", (value,))
        return int(self.connection.execute("select sum(value) from sums").fetchone()[0])


class Doomed:
    """Its constructor fails while a file says so."""

    def __init__(self, unless: str) -> None:
        if not Path(unless).exists():
            raise ValueError("no such luck")

    def pid(self) -> int:
        return os.getpid()


class DoomedWard(Ward):
    """A ward whose constructor fails while a file says so."""

    def __init__(self, unless: str) -> None:
        super().__init__()
        if not Path(unless).exists():
            raise ValueError("no such luck")


class Waiting(Ward):
    """Its constructor waits for a file."""

    def __init__(self, gate: str) -> None:
        super().__init__()
        wait_for(gate)


class Waiter(Ward):
    """Waits for a file when asked, and holds its thread meanwhile."""

    def wait_for(self, gate: str) -> int:
        wait_for(gate)
        return os.getpid()


class Saving(Ward):
    """Its state is kept, and it counts how often."""

    def __init__(self) -> None:
        super().__init__()
        self.times = 0

    def checkpoint(self) -> int:
        self.times += 1
        return self.count

    def restore(self, state: int) -> None:
        self.count = state

    def saved(self) -> int:
        return self.times


class Idle:
    """Its constructor says that there is nothing to run."""

    def __init__(self) -> None:
        raise IgnoreChild


class Stubborn(Ward):
    """Its `stop` leaves a mark, and then takes as long as it was told."""

    def __init__(self, mark: str, takes_s: float) -> None:
        super().__init__()
        self.mark, self.takes_s = mark, takes_s

    def stop(self) -> None:
        Path(self.mark).write_text("asked", encoding="utf-8")
        threading.Event().wait(self.takes_s)
        Path(self.mark).write_text("done", encoding="utf-8")


class Sickly(Ward):
    """Says itself that it is not well."""

    well = True

    def health(self) -> bool:
        return self.well

    def sicken(self) -> None:
        self.well = False


class Fragile(Ward):
    """Cannot take up its state while a file says so."""

    def __init__(self, unless: str) -> None:
        super().__init__()
        self.unless = unless

    def restore(self, state: dict[str, Any]) -> None:
        if not Path(self.unless).exists():
            raise ValueError("it cannot be read today")
        self.__dict__.update(state)


class Stillborn:
    """Its process dies in its constructor."""

    def __init__(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class Spoilt(Ward):
    """Its state cannot be had."""

    def checkpoint(self) -> Any:
        raise RuntimeError("nothing to be put away")


class Caller:
    """Calls another child by the handle that it was given."""

    def __init__(self, other: Any) -> None:
        self.other = other

    def ask(self) -> int:
        return int(self.other.add.remote().result(timeout=30))


def wait_for(gate: str) -> None:
    """Return once a file is there."""
    while not Path(gate).exists():
        threading.Event().wait(0.02)


def ask(child: Any) -> int:
    """A task that calls a child."""
    return int(child.add.remote().result(timeout=30))
