"""Functions that a breaker decorates travel by value, as those of a script do, and are guarded where they run."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ray import cloudpickle

from actors.breaker.circuit import Circuit
from actors.breaker.errors import CircuitOpenError
from actors.breaker.handle import BreakerHandle, local_breaker
from actors.breaker.registry import REGISTRY
from actors.breaker.travelling import TravellingCircuit
from tests.unit.breaker.scene import fast
from tests.unit.breaker.town import BreakError


def travelled(value: Any, times: int = 1) -> Any:
    for _ in range(times):
        value = cloudpickle.loads(cloudpickle.dumps(value))
    return value


def kinds(breaker: BreakerHandle) -> list[Callable[[], Any]]:
    """A call of each kind of function that can be decorated; each raises BreakError."""

    @breaker
    def plain() -> None:
        raise BreakError

    @breaker
    def general(number: int = 1) -> None:
        raise BreakError

    @breaker
    async def coroutine() -> None:
        raise BreakError

    @breaker
    def generator():
        yield 1
        raise BreakError

    @breaker
    async def async_generator():
        yield 1
        raise BreakError

    async def drained(function: Any) -> list[int]:
        return [item async for item in function()]

    there = [travelled(each) for each in (plain, general, coroutine, generator, async_generator)]
    return [
        there[0],
        there[1],
        lambda: asyncio.run(there[2]()),
        lambda: list(there[3]()),
        lambda: asyncio.run(drained(there[4])),
    ]


def test_each_kind_of_function_is_counted_and_refused_where_it_arrived():
    breaker = local_breaker("travels-by-value", fast(window_calls=5, minimum_calls=5))
    calls = kinds(breaker)
    for call in calls:
        with pytest.raises(BreakError):
            call()
    assert breaker.state == "open"
    for call in calls:
        with pytest.raises(CircuitOpenError):
            call()


@pytest.mark.parametrize("times", [1, 2])
def test_it_looks_for_its_way_with_its_first_call_and_is_then_a_circuit_like_any_other(times: int):
    circuit = REGISTRY.local("travels-alone")
    assert type(circuit) is TravellingCircuit
    arrived = travelled(circuit, times)
    assert not isinstance(arrived, Circuit)
    assert not hasattr(arrived, "__len__")
    assert arrived.name == "travels-alone"
    assert type(arrived) is TravellingCircuit
    assert vars(arrived) is vars(circuit)
    assert not hasattr(arrived, "missing")
    assert travelled(arrived).lane is circuit.lane


def test_another_process_has_a_circuit_of_its_own():
    @local_breaker("travels-far", fast(window_calls=3))
    def double(number: int) -> int:
        return 2 * number

    code = f"""
import pickle
double = pickle.loads(bytes.fromhex({cloudpickle.dumps(double).hex()!r}))
from actors.breaker.registry import REGISTRY
from actors.breaker.link import THIS_PROCESS
assert REGISTRY.circuits(THIS_PROCESS) == ()
print(double(4), REGISTRY.local("travels-far").gate.settings.window_calls)
"""
    root = Path(__file__).parents[3]
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.stdout == "8 3\n", ended.stderr
