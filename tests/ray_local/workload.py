"""What the tests' tasks do. Workers are other processes, so effects are lines in files."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Any

import ray

from supervisor import Retry

ONCE = Retry(attempts=1)
EAGER = Retry(attempts=5, min_s=0.01, max_s=0.05)


# -- what the tasks do; workers are other processes, so effects are lines in files ------------------------------------


def mark(path: str, text: str = "") -> int:
    """Have an effect: append a line; returns how many there are."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, f"{text}\n".encode())
    finally:
        os.close(descriptor)
    return len(Path(path).read_text(encoding="utf-8").splitlines())


def double(number: int) -> int:
    return 2 * number


def describe(*args: Any, **kwargs: Any) -> str:
    return f"{args} {sorted(kwargs.items())}"


def pid_of_worker() -> int:
    return os.getpid()


def wait_for_file(path: str) -> str:
    give_up_at = time.monotonic() + 60
    while not Path(path).exists():
        if time.monotonic() > give_up_at:
            raise TimeoutError(path)
        time.sleep(0.005)
    return path


def mark_then_wait(path: str, text: str, gate: str) -> None:
    mark(path, text)
    wait_for_file(gate)


def missing_key(key: str) -> None:
    raise KeyError(key)


def fail_until(path: str, runs: int) -> int:
    done = mark(path)
    if done < runs:
        raise ConnectionError(f"run {done}")
    return done


def endless() -> None:
    while True:
        time.sleep(0.01)


async def endless_coroutine() -> None:
    await asyncio.sleep(3600)


async def gentle(number: int) -> int:
    await asyncio.sleep(0)
    return number


def die() -> None:
    os._exit(1)


def die_marked(path: str) -> None:
    mark(path)
    os.kill(os.getpid(), signal.SIGKILL)


def total(numbers: list[int]) -> int:
    return sum(numbers)


class TwoArgumentsError(Exception):
    """Its pickle calls `__init__` with one argument, and that does not work."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code}: {reason}")


def raise_two_arguments() -> None:
    raise TwoArgumentsError(7, "no luck")


class Gate:
    """A file that blocked tasks wait for; open at the test's end at the latest."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def open(self) -> None:
        Path(self.path).touch()


class UnloadableResult:
    def __reduce__(self) -> tuple[Any, ...]:
        return missing_key, ("on loading",)


def runtime_env_here() -> dict[str, Any]:
    """What Ray was told to prepare for the process that runs this."""
    return dict(ray.get_runtime_context().runtime_env)
