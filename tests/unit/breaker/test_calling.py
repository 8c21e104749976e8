"""Generators of both kinds through a breaker: the whole iteration is the call, and nothing of it is changed."""

from __future__ import annotations

import asyncio
import functools
import gc
import threading
from typing import Any

import pytest

from actors.breaker.errors import CircuitOpenError
from tests.unit.breaker.town import BreakError, Town, good


def test_a_generator_gets_what_is_sent_and_thrown_and_returns():
    town = Town()

    @town.breaker
    def echo():
        heard = []
        while len(heard) < 2:
            try:
                heard.append((yield len(heard)))
            except KeyError:
                heard.append("thrown")
        return heard

    running = echo()
    assert next(running) == 0
    assert running.send("a") == 1
    with pytest.raises(StopIteration) as ended:
        running.throw(KeyError())
    assert ended.value.value == ["a", "thrown"]
    assert town.view.totals.successes == 1


def test_a_generator_that_is_closed_says_nothing_and_one_never_begun_less():
    town = Town()
    closed = []

    @town.breaker
    def items():
        try:
            yield 1
            yield 2
        finally:
            closed.append(True)

    running = items()
    next(running)
    running.close()
    items()
    gc.collect()
    assert (closed, town.view.totals.neutral, town.view.totals.successes) == ([True], 1, 0)


async def test_an_async_generator_gets_what_is_sent_and_thrown():
    town = Town()

    @town.breaker
    async def echo():
        heard: list[Any] = []
        while len(heard) < 3:
            try:
                heard.append((yield heard[-1] if heard else None))
            except KeyError:
                heard.append("thrown")

    running = echo()
    assert await anext(running) is None
    assert await running.asend("a") == "a"
    assert await running.athrow(KeyError()) == "thrown"
    with pytest.raises(StopAsyncIteration):
        await anext(running)
    assert town.view.totals.successes == 1


async def test_an_async_generator_that_is_closed_says_nothing_and_ends_the_users():
    town = Town()
    closed = []

    @town.breaker
    async def items():
        try:
            yield 1
            yield 2
        finally:
            closed.append(True)

    running = items()
    await anext(running)
    await running.aclose()
    assert (closed, town.view.totals.neutral) == ([True], 1)


async def test_what_is_thrown_into_an_async_generator_and_not_caught_comes_back():
    town, error = Town(), BreakError()

    @town.breaker
    async def items():
        yield 1

    running = items()
    await anext(running)
    with pytest.raises(BreakError) as raised:
        await running.athrow(error)
    assert raised.value is error
    assert town.view.totals.failures == 1


async def test_objects_partials_and_methods_are_guarded_by_what_they_are():
    town = Town()

    class Callee:
        async def __call__(self) -> None:
            raise BreakError

        @town.breaker
        def method(self, number: int) -> int:
            return number

        @staticmethod
        @town.breaker
        def static(number: int) -> int:
            """What it says."""
            return number

    assert (Callee().method(2), Callee.static(3), Callee.static.__doc__) == (2, 3, "What it says.")
    with pytest.raises(BreakError):
        await town.breaker(Callee())()
    with pytest.raises(BreakError):
        await town.breaker(functools.partial(Callee()))()
    assert town.view.totals.failures == 2


async def test_guarded_functions_are_refused_when_it_is_open():
    town = Town()

    async def fetch() -> None:
        pytest.fail("it ran")

    def read() -> None:
        pytest.fail("it ran")

    async def stream():
        yield 1

    guarded, guarded_read, guarded_stream = town.breaker(fetch), town.breaker(read), town.breaker(stream)
    town.opened()
    with pytest.raises(CircuitOpenError):
        await guarded()
    with pytest.raises(CircuitOpenError):
        guarded_read()
    with pytest.raises(CircuitOpenError):
        await anext(guarded_stream())


async def test_what_runs_only_after_the_call_is_told_and_not_counted():
    town = Town()

    def numbers():
        yield 1

    async def letters():
        yield "a"

    def later() -> Any:
        return asyncio.ensure_future(asyncio.sleep(60))

    for _ in range(2):  # the first call takes the slow way
        for fn, remedy in ((numbers, "above its function"), (letters, "above its function"), (later, "acall")):
            with pytest.raises(TypeError, match=remedy):
                town.breaker.call(fn)
    assert town.view.calls == 0
    assert town.breaker.call(iter, [1]) is not None
    assert list(town.breaker(numbers)()) == [1]


async def test_a_plain_function_that_is_awaited_is_told_and_not_counted():
    """It is its caller's mistake; a TypeError of what was awaited is a failure like any other."""
    town = Town()

    async def fail() -> None:
        raise TypeError("of its own")

    for _ in range(2):  # the first call takes the slow way
        with pytest.raises(TypeError, match=r"returned 7, which cannot be awaited; use `breaker\.call"):
            await town.breaker.acall(lambda: 7)  # pyright: ignore[reportArgumentType] - that is the mistake
    assert town.view.calls == 0
    for _ in range(2):
        with pytest.raises(TypeError, match="of its own"):
            await town.breaker.acall(fail)
    assert town.view.totals.failures == 2


def test_many_threads_use_one_handle():
    town, errors = Town(window_calls=100_000, minimum_calls=100_000), []

    def work() -> None:
        try:
            for number in range(500):
                assert town.breaker.call(good, number) == number
        except BaseException as error:
            errors.append(error)
            raise

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert town.view.totals.successes == 4000


async def test_what_cannot_be_called_says_nothing_of_what_the_breaker_guards():
    town, wrongs = Town(), tuple[Any, ...]((None, 3))
    for _ in range(2):  # the first call takes the slow way
        for wrong in wrongs:
            with pytest.raises(TypeError, match="not callable"):
                town.breaker.call(wrong)
            with pytest.raises(TypeError, match="not callable"):
                await town.breaker.acall(wrong)
    assert (town.view.calls, town.view.totals.failures) == (0, 0)
