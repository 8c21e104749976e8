"""Each call of health, degradation, healing and telling people exists for coroutines, and keeps no loop waiting."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar, cast

import pytest

from actors.degradation.handle import DegradationHandle
from actors.notifier.settings import NotifierSettings
from actors.recovery.strategies import Restart
from actors.runtime.replicated import Replica
from actors.service.client import ServiceClient
from actors.service.follower import StateFollower
from actors.service.node_board import NodeBoard
from supervisor import Supervisor
from supervisor.healing.healer import Healer
from supervisor.healing.healing import Call, Healing
from supervisor.health.health import Health
from supervisor.notifying.notifier import Notifier
from tests.unit.degradation.place import Place

T = TypeVar("T")

LOCAL: dict[type, set[str]] = {
    Health: {"beat", "close", "is_running", "registering", "standing", "take"},
    DegradationHandle: {"decided_by", "enabled", "limit", "why"},
    Healer: set(),
    Notifier: set(),
}
"""What asks nobody, or does not wait: coroutines call it as everybody does."""

CONTRACT: dict[type, dict[str, tuple[Any, ...]]] = {
    Health: {
        "register": ("db", print),
        "unregister": ("db",),
        "report": (),
        "component": ("db",),
        "history": ("db",),
        "subscribe": (),
        "start": (),
        "stop": (),
    },
    DegradationHandle: {
        "feature": ("chat",),
        "set_level": ("reduced",),
        "auto": (),
        "subscribe": (),
        "statistics": (),
    },
    Healer: {
        "plan": ("db", [Restart()]),
        "incidents": (),
        "statistics": (),
        "subscribe": (),
        "hold": ("db",),
        "release": ("db",),
        "start": (),
        "stop": (),
    },
}
"""The names that users were promised, and what they are called with."""

NAMED: dict[str, dict[str, Any]] = {
    "register": {"interval_s": 1.0, "timeout_s": 1.0},
    "set_level": {"reason": "a drill"},
    "hold": {"reason": "a drill"},
}


class Way:
    """Stands in for the way to a service: notes which threads take it."""

    def __init__(self) -> None:
        self.threads: set[str] = set()
        self._pool = ThreadPoolExecutor(1, "elsewhere")

    def in_thread(self, act: Callable[[], T]) -> Future[T]:
        return self._pool.submit(act)

    def change(self, what: str, *arguments: Any, **named: Any) -> str:
        del arguments, named
        return self._note(what)

    ask = change

    def start(self) -> None:
        self._note("start")

    def follow(self, topic: str, on_change: Callable[[Replica], None] | None = None) -> StateFollower:
        self._note(topic)
        return StateFollower("health/main", topic, NodeBoard(None), on_change)

    def unfollow(self, follower: StateFollower) -> None:
        del follower

    def _note(self, what: str) -> str:
        self.threads.add(threading.current_thread().name)
        return what


class Owner(Place):
    """The same, of the degradation's owner."""

    def __init__(self) -> None:
        self.threads: set[str] = set()
        self._pool = ThreadPoolExecutor(1, "elsewhere")
        super().__init__()
        self.threads.clear()

    def in_thread(self, act: Callable[[], T]) -> Future[T]:
        return self._pool.submit(act)

    def follow(
        self, topic: str, on_change: Callable[[Replica], None] | None = None, *, eager: bool = True
    ) -> StateFollower:
        self.threads.add(threading.current_thread().name)
        return super().follow(topic, on_change, eager=eager)

    def change(self, what: str, *arguments: Any) -> Replica:
        self.threads.add(threading.current_thread().name)
        return super().change(what, *arguments)

    def ask(self, what: str) -> str:
        self.threads.add(threading.current_thread().name)
        return what


def made(of: type) -> tuple[Any, Way | Owner]:
    if of is DegradationHandle:
        owner = Owner()
        return owner.handle, owner
    way = Way()
    client = cast("ServiceClient", way)
    if of is Health:
        return Health(client), way
    return Healer(client, lambda _: pytest.fail("nobody asked for checkpoints"), "prod"), way


@pytest.mark.parametrize("of", LOCAL)
def test_whatever_waits_has_a_form_for_coroutines(of: type) -> None:
    methods = {name for name, _ in inspect.getmembers(of, inspect.isfunction) if not name.startswith("_")}
    plain = {name for name in methods if not inspect.iscoroutinefunction(getattr(of, name))}
    without = {name for name in plain if not inspect.iscoroutinefunction(getattr(of, f"a{name}", None))}
    assert without == LOCAL[of]


@pytest.mark.parametrize(("of", "name"), [(of, name) for of, names in CONTRACT.items() for name in names])
def test_no_promised_call_waits_on_the_loops_thread(of: type, name: str) -> None:
    handle, way = made(of)
    asyncio.run(getattr(handle, f"a{name}")(*CONTRACT[of][name], **NAMED.get(name, {})))
    assert way.threads == {"elsewhere_0"}


def test_a_notifiers_calls_have_it_too() -> None:
    way = Way()
    notifier = Notifier(cast("ServiceClient", way), NotifierSettings())
    asyncio.run(notifier.aresolve("db"))
    assert asyncio.run(notifier.awaiting()) == "waiting"
    assert way.threads == {"elsewhere_0"}


def test_a_healed_call_of_a_plain_function_runs_on_a_thread_and_a_coroutine_on_the_loop() -> None:
    class Services:
        def client(self, key: str) -> None:
            del key

        def resident(self, name: str, make: object) -> Services:
            del name, make
            return self

        def keeps(self, component: str) -> bool:
            del component
            return False

    healing = Healing(cast("Any", Services()), cast("Any", None))

    async def here() -> str:
        return threading.current_thread().name

    class Object:
        async def __call__(self) -> str:
            return await here()

    async def heal() -> list[str]:
        names = [await healing.aheal(call(fn)) for fn in (plain, here, Object(), lambda: here())]  # noqa: PLW0108 - a plain function that gives an awaitable
        return [*names, threading.current_thread().name]

    def plain() -> str:
        return threading.current_thread().name

    def call(fn: Callable[..., Any]) -> Call:
        return Call(component="db", fn=fn, args=(), kwargs={}, failure="unknown", severity="low")

    apart, *on_the_loop = asyncio.run(heal())
    assert set(on_the_loop) == {threading.current_thread().name}
    assert apart not in on_the_loop
    assert inspect.iscoroutinefunction(Supervisor.aheal)
