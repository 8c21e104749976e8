"""Processes that use breakers: what each of them can be asked to do."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import warnings
from collections.abc import Callable
from itertools import count, islice
from pathlib import Path
from typing import Any
from uuid import uuid4

import ray

from actors.breaker.errors import CircuitOpenError
from actors.breaker.handle import BreakerHandle
from actors.breaker.settings import BreakerSettings
from supervisor import Supervisor
from supervisor.breakers.homes import shard_key
from supervisor.link import wait_until

PAUSE_S = 0.005
CALLERS = 50
PROCESSES = 4
SETTINGS = BreakerSettings(minimum_calls=5 * PROCESSES, window_calls=200, open_s=30.0, permit_lease_s=2.0)
"""A process that fails a few times does not open itself; all of them together open the cluster."""

EAGER = BreakerSettings(consecutive_failures=2, open_s=0.3, open_growth=1.0, half_open_permits=3, permit_lease_s=20.0)


class Caller:
    """One process. Handles come in a list: Ray would otherwise take them for its own."""

    def __init__(self) -> None:
        self.held: list[Any] = []
        self.streams: list[Any] = []
        self.seen: list[str] = []

    def pid(self) -> int:
        return os.getpid()

    def state(self, handles: list[Any]) -> str:
        return handles[0].state

    def states(self, handles: list[Any]) -> list[str]:
        return [handle.state for handle in handles]

    def hears(self, handles: list[Any]) -> bool:
        """Whether the owner of each is heard here."""
        return all(handle.owner_heard for handle in handles)

    def define(self, supervisor: str, name: str, settings: BreakerSettings) -> list[str]:
        """Define a breaker here, and wait for its owner; what this process is warned of."""
        said: list[str] = []
        handler = logging.Handler()
        handler.emit = lambda record: said.append(record.getMessage())
        logging.getLogger("supervisor.breaker").addHandler(handler)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            handle = Supervisor.of_process(supervisor).breaker(name, settings)
            assert wait_until(lambda: handle.owner_heard, 30.0)
        return said + [str(warning.message) for warning in caught]

    def fail(self, handles: list[Any], times: int) -> list[str]:
        """What each failing call ended with."""
        return [outcome(handles[0], broken) for _ in range(times)]

    def succeed(self, handles: list[Any], times: int = 1) -> list[str]:
        return [outcome(handles[0], lambda: None) for _ in range(times)]

    def hold(self, handles: list[Any]) -> int | None:
        """Take a permit and keep it; the pid, or None without one."""
        permit = handles[0].try_acquire()
        if permit is None:
            return None
        self.held.append(permit)
        return os.getpid()

    def watch(self, handles: list[Any]) -> None:
        """Hear of transitions from now on."""
        self.streams.append(handles[0].subscribe())

    def saw(self) -> list[str]:
        """The states that transitions have led to since then."""
        for stream in self.streams:
            while (change := stream.next(0)) is not None:
                self.seen.append(change.after)
        return self.seen

    def besiege(self, handles: list[Any], callers: int, marks: str, for_s: float) -> int:
        """Many threads call what fails, again and again; each that passes leaves a mark at its begin and its end."""
        over = threading.Event()
        passed: list[int] = []

        def probe() -> None:
            leave(marks, "+")
            over.wait(2 * PAUSE_S)
            leave(marks, "-")
            passed.append(1)
            broken()

        def call_on() -> None:
            while not over.wait(PAUSE_S):
                outcome(handles[0], probe)

        threads = [threading.Thread(target=call_on) for _ in range(callers)]
        for thread in threads:
            thread.start()
        threading.Event().wait(for_s)
        over.set()
        for thread in threads:
            thread.join()
        return len(passed)


def broken() -> None:
    raise ConnectionError("no route to the bank")


def outcome(handle: Any, fn: Callable[[], object]) -> str:
    try:
        handle.call(fn)
    except CircuitOpenError:
        return "refused"
    except ConnectionError:
        return "failed"
    return "succeeded"


def leave(path: str, mark: str) -> None:
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(f"{mark}\n")


def most_at_once(lines: list[str]) -> int:
    """The most calls that ran at a time."""
    running = most = 0
    for line in lines:
        running += 1 if line == "+" else -1
        most = max(most, running)
    return most


def besieged(crew: list[Any], breaker: BreakerHandle, marks: Any, eventually: Callable[..., None]) -> None:
    """All call what fails; no more of their calls than permits ever run at a time."""
    ray.get(crew[0].fail.remote([breaker], 2))
    eventually(lambda: states(crew, breaker) <= {"open", "half_open"}, "it being shut everywhere")
    passed = ray.get([caller.besiege.remote([breaker], CALLERS, marks.path, 3.0) for caller in crew])
    assert 0 < most_at_once(marks.lines()) <= EAGER.half_open_permits
    assert sum(passed) > EAGER.half_open_permits


def crew_of(size: int) -> list[Any]:
    """So many processes, ready."""
    remote: Any = ray.remote
    made: Any = remote(num_cpus=0, max_concurrency=4)(Caller)
    crew = [made.remote() for _ in range(size)]
    ray.get([caller.pid.remote() for caller in crew])
    return crew


def shared_name() -> str:
    """A new name, always of the same shared owner: to start an actor takes longer than most tests."""
    names = (f"bank-{uuid4().hex[:8]}" for _ in count())
    return next(name for name in names if shard_key(name).endswith("-0"))


def states(crew: list[Any], breaker: BreakerHandle) -> set[str]:
    return set(ray.get([caller.state.remote([breaker]) for caller in crew]))


def owner_events(changes: Any, count: int) -> list[str]:
    """What a stream says of the owner: so many events, awaited."""
    told = (change.event for change in iter(lambda: changes.next(10.0), None) if change.event != "transition")
    return list(islice(told, count))


def owner_of(sup: Supervisor, breaker: str) -> Any:
    full_name = sup.breakers()[breaker].owner
    return next(child for child in sup.status().tree if child.name == full_name)


def owner_pid(sup: Supervisor, breaker: str) -> int:
    return owner_of(sup, breaker).location.process.pid


def add(one: int, other: int) -> int:
    return one + other


async def hang() -> None:
    await asyncio.sleep(60)


def cached(*_: object) -> int:
    return -1
