"""Other breakers for Python, each guarding one function in the fastest way that it documents.

They are the dependency group `bench`; one that is not installed is named as missing.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

Guard = Callable[[Callable[..., Any]], Callable[..., Any]]


def _circuitbreaker(fn: Callable[..., Any]) -> Callable[..., Any]:
    return import_module("circuitbreaker").CircuitBreaker(name="bench")(fn)


def _pybreaker(fn: Callable[..., Any]) -> Callable[..., Any]:
    return import_module("pybreaker").CircuitBreaker()(fn)


def _purgatory(fn: Callable[..., Any]) -> Callable[..., Any]:
    breaker = import_module("purgatory").SyncCircuitBreakerFactory().get_breaker("bench")

    def guarded(number: int) -> Any:
        with breaker:
            return fn(number)

    return guarded


def _redress(fn: Callable[..., Any]) -> Callable[..., Any]:
    redress = import_module("redress")
    call = redress.Policy(circuit_breaker=redress.CircuitBreaker()).call
    return lambda number: call(lambda: fn(number))


def _interlock(fn: Callable[..., Any]) -> Callable[..., Any]:
    return import_module("interlock").CircuitBreaker(name="bench")(fn)


async def _async_purgatory(fn: Callable[..., Any]) -> Callable[..., Any]:
    breaker = await import_module("purgatory").AsyncCircuitBreakerFactory().get_breaker("bench")

    async def guarded(number: int) -> Any:
        async with breaker:
            return await fn(number)

    return guarded


async def _async_redress(fn: Callable[..., Any]) -> Callable[..., Any]:
    redress = import_module("redress")
    call = redress.AsyncPolicy(circuit_breaker=redress.CircuitBreaker()).call

    async def guarded(number: int) -> Any:
        return await call(lambda: fn(number))

    return guarded


PEERS: dict[str, Guard] = {
    "circuitbreaker": _circuitbreaker,
    "pybreaker": _pybreaker,
    "purgatory": _purgatory,
    "redress": _redress,
    "interlock-cb": _interlock,
}
"""By distribution."""

ASYNC_PEERS: dict[str, Callable[[Callable[..., Any]], Any]] = {
    "circuitbreaker": _circuitbreaker,
    "purgatory": _async_purgatory,
    "redress": _async_redress,
    "interlock-cb": _interlock,
}
"""Those that guard coroutine functions (pybreaker does for Tornado alone); some are made by a coroutine."""


def installed(guards: dict[str, Any], fn: Callable[..., Any]) -> tuple[dict[str, Any], list[str]]:
    """`fn` guarded by each peer that is installed, and the names of the others."""
    made: dict[str, Any] = {}
    missing: list[str] = []
    for name, guard in guards.items():
        try:
            import_module({"interlock-cb": "interlock"}.get(name, name))
        except ImportError:
            missing.append(name)
        else:
            made[name] = guard(fn)
    return made, missing
