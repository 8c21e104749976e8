"""Our breaker and its peers in one process: what each adds to a call, measured in turn."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from actors.breaker.errors import CircuitOpenError
from actors.breaker.handle import BreakerHandle, local_breaker
from actors.breaker.registry import REGISTRY
from experiments.bench.peers import ASYNC_PEERS, PEERS, installed
from experiments.bench.workload import noop

if TYPE_CHECKING:
    from actors.breaker.link import OwnerLink

CALLS = 20_000
REPEATS = 7
"""The best of so many counts: whatever else the machine does only adds."""

THREADS = 8
TOGETHER_S = 0.1
"""How long a count with threads takes, by what a call costs. As many calls of each side would be 3 ms of the cheapest,
in which to start eight threads is a tenth and one thread alone is never interrupted, and 60 ms of the dearest."""

ADMISSIONS = 100_000

Answer = dict[str, Any]
"""`ours` and `peers` (by name, those that are installed) in seconds, and the names of those that are `missing`."""


class Breakers:
    """Each method is one measurement; every call of one takes both sides in turn. Ours is of this process alone."""

    def breaker(self, name: str) -> BreakerHandle:
        """The one that is measured."""
        return local_breaker(name)

    @property
    def link(self) -> OwnerLink:
        """Its way to its owner."""
        return REGISTRY.local_link

    def closed(self) -> Answer:
        """What a breaker adds to a call that passes, seconds."""
        peers, missing = installed(PEERS, noop)
        best = _alternate({"bare": noop, "ours": self.breaker("bench-closed")(noop), **peers}, _cost)
        return _answer({name: cost - best["bare"] for name, cost in best.items()}, missing)

    def open(self) -> Answer:
        """What a refused call costs, with the catch of its error, seconds."""
        breaker = self.breaker("bench-open")
        breaker.force_open(reason="benchmark")
        guarded = breaker(noop)

        def refused(number: int) -> None:
            try:
                guarded(number)
            except CircuitOpenError:
                pass

        best = _alternate({"ours": refused}, _cost)
        breaker.reset(reason="benchmark")
        return _answer(best, [])

    def coroutine(self) -> Answer:
        """What a breaker adds to an awaited call that passes, seconds."""
        return asyncio.run(self._coroutine())

    async def _coroutine(self) -> Answer:
        peers, missing = installed(ASYNC_PEERS, _anoop)
        made = {name: await each if inspect.isawaitable(each) else each for name, each in peers.items()}
        guarded = {"bare": _anoop, "ours": self.breaker("bench-async")(_anoop), **made}
        best = dict.fromkeys(guarded, float("inf"))
        for _ in range(REPEATS):
            for name, fn in guarded.items():
                best[name] = min(best[name], await _acost(fn))
        return _answer({name: cost - best["bare"] for name, cost in best.items()}, missing)

    def threads(self) -> Answer:
        """How many times as fast eight threads make calls as one does, together; more is better."""
        peers, missing = installed(PEERS, noop)
        guarded = {"ours": self.breaker("bench-threads")(noop), **peers}
        cost = _alternate(guarded, _cost)
        calls = {fn: int(TOGETHER_S / cost[name]) for name, fn in guarded.items()}
        alone = _alternate(guarded, lambda fn: _cost_in_threads(fn, 1, calls[fn]))
        together = _alternate(guarded, lambda fn: _cost_in_threads(fn, THREADS, calls[fn] // THREADS))
        return _answer({name: alone[name] / together[name] for name in guarded}, missing)

    def asked(self) -> Answer:
        """How often the owner was asked anything by the calls of 100,000 admissions."""
        breaker, link, caller = self.breaker("bench-asked"), self.link, threading.get_ident()
        asked: list[str] = []
        ways = ("tell", "request_permit", "control", "view")
        own = {way: getattr(link, way) for way in ways}

        def counting(way: str) -> Callable[..., Any]:
            def count(*arguments: Any) -> Any:
                if threading.get_ident() == caller:
                    asked.append(way)
                return own[way](*arguments)

            return count

        for way in ways:
            setattr(link, way, counting(way))
        try:
            for number in range(ADMISSIONS):
                breaker.call(noop, number)
        finally:
            for way in ways:
                delattr(link, way)
        return _answer({"ours": float(len(asked))}, [])

    def close(self) -> None:
        """Nothing runs on."""


async def _anoop(number: int) -> int:
    return number


def _alternate(guarded: dict[str, Callable[..., Any]], cost: Callable[[Callable[..., Any]], float]) -> dict[str, float]:
    best = dict.fromkeys(guarded, float("inf"))
    for _ in range(REPEATS):
        for name, fn in guarded.items():
            best[name] = min(best[name], cost(fn))
    return best


def _cost(fn: Callable[..., Any]) -> float:
    begun = time.perf_counter()
    for number in range(CALLS):
        fn(number)
    return (time.perf_counter() - begun) / CALLS


async def _acost(fn: Callable[..., Awaitable[Any]]) -> float:
    begun = time.perf_counter()
    for number in range(CALLS):
        await fn(number)
    return (time.perf_counter() - begun) / CALLS


def _cost_in_threads(fn: Callable[..., Any], count: int, calls_of_each: int) -> float:
    """Per call, of all threads."""
    ready = threading.Barrier(count + 1)

    def work() -> None:
        ready.wait()
        for number in range(calls_of_each):
            fn(number)

    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    ready.wait()
    begun = time.perf_counter()
    for thread in threads:
        thread.join()
    return (time.perf_counter() - begun) / (count * calls_of_each)


def _answer(best: dict[str, float], missing: list[str]) -> Answer:
    peers = {name: value for name, value in best.items() if name not in ("ours", "bare")}
    return {"ours": best["ours"], "peers": peers, "missing": missing}
