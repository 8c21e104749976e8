"""A guard of the same parameters as what it guards: it takes what that takes, and nothing else."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest

from actors.breaker.errors import CircuitOpenError
from actors.breaker.handle import BreakerHandle
from actors.breaker.tailoring import tailor
from tests.unit.breaker.town import Town


@pytest.fixture
def breaker() -> BreakerHandle:
    return Town().breaker


class Till:
    def add(self, first: int, second: int) -> tuple[int, int]:
        return first, second


def only_places(first: int, /, lane: int) -> tuple[int, int]:
    return first, lane


def no_parameters() -> str:
    return "nothing"


def test_it_takes_places_and_names_as_the_function_does(breaker: BreakerHandle) -> None:
    guarded: Any = breaker(only_places)
    assert guarded(1, 2) == guarded(1, lane=2) == (1, 2)
    assert breaker(no_parameters)() == "nothing"
    assert inspect.signature(guarded) == inspect.signature(only_places)
    for wrong in (lambda: guarded(1), lambda: guarded(first=1, lane=2), lambda: guarded(1, 2, 3)):
        with pytest.raises(TypeError, match=r"only_places\(\)"):
            wrong()


def test_methods_are_guarded_bound_and_in_their_class(breaker: BreakerHandle) -> None:
    till = Till()
    assert breaker(till.add)(1, second=2) == (1, 2)

    class Guarded(Till):
        add = breaker(Till.add)

    assert Guarded().add(first=3, second=4) == (3, 4)


def test_what_the_function_raises_counts_and_comes_through(breaker: BreakerHandle) -> None:
    trouble = OSError("gone")

    @breaker
    def fail(number: int) -> None:
        raise trouble

    with pytest.raises(OSError, match="gone") as caught:
        fail(1)
    assert caught.value is trouble
    assert breaker.metrics().failure_rate == 1.0


def test_a_refused_call_runs_nothing_or_the_fallback(breaker: BreakerHandle) -> None:
    breaker.force_open(reason="test")
    ran: list[int] = []
    with pytest.raises(CircuitOpenError):
        breaker(ran.append)(1)

    @breaker.with_fallback(lambda number: -number)
    def double(number: int) -> int:
        ran.append(number)
        return 2 * number

    assert double(4) == -4
    assert ran == []


def test_coroutines_are_awaited(breaker: BreakerHandle) -> None:
    @breaker
    async def double(number: int) -> int:
        await asyncio.sleep(0)
        return 2 * number

    assert asyncio.run(double(4)) == 8
    assert inspect.iscoroutinefunction(double)
    breaker.force_open(reason="test")
    with pytest.raises(CircuitOpenError):
        asyncio.run(double(4))


def with_names_of_builtins(type: str, BaseException: str) -> str:  # noqa: N803 - these are what the guard uses
    if type == "failing":
        raise OSError(BaseException)
    return f"{type} {BaseException}"


def test_parameters_may_have_the_names_of_builtins(breaker: BreakerHandle) -> None:
    guarded: Any = breaker(with_names_of_builtins)
    for _ in range(2):  # the first call takes the slow way
        assert guarded("card", BaseException="visa") == "card visa"
    with pytest.raises(OSError, match="visa"):
        guarded("failing", "visa")
    assert breaker.metrics().calls == 3


def with_default(first: int = 1) -> int:
    return first


def only_names(*, first: int) -> int:
    return first


def any_number(*numbers: int) -> tuple[int, ...]:
    return numbers


def any_names(**names: int) -> dict[str, int]:
    return names


def our_names(_breaker_lane: int) -> int:
    return _breaker_lane


@pytest.mark.parametrize("fn", [with_default, only_names, any_number, any_names, our_names, len])
def test_all_others_get_the_general_guard(fn: Any) -> None:
    assert tailor(fn, asynchronous=False) is None


def test_the_general_guard_takes_the_same(breaker: BreakerHandle) -> None:
    assert breaker(with_default)() == breaker(only_names)(first=1) == breaker(our_names)(1) == 1
    assert breaker(any_number)(1, 2) == (1, 2)
    assert breaker(any_names)(a=1) == {"a": 1}
