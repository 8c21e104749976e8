"""The same for coroutines: the arguments, the result, what it raises, and its name."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import pytest

from actors.service.twin import twin

T = TypeVar("T")


class Client:
    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(1, "waits")

    def in_thread(self, act: Callable[[], T]) -> Future[T]:
        return self._threads.submit(act)


class Asker:
    def __init__(self) -> None:
        self.client: Any = Client()

    def divide(self, whole: int, *, by: int = 2) -> tuple[float, str]:
        """Divide."""
        return whole / by, threading.current_thread().name

    adivide = twin(divide)


def test_it_waits_on_another_thread_and_gives_the_same() -> None:
    half, thread = asyncio.run(Asker().adivide(6))
    assert (half, thread) == (3.0, "waits_0")
    assert asyncio.run(Asker().adivide(6, by=3))[0] == 2.0
    with pytest.raises(ZeroDivisionError):
        asyncio.run(Asker().adivide(6, by=0))


def test_it_has_a_name_and_a_text_of_its_own() -> None:
    assert Asker.adivide.__name__ == "adivide"
    assert Asker.adivide.__doc__ == "`divide` for a coroutine."
