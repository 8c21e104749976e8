"""Children on Ray without a supervisor: the test makes their actors, names the accepted one, and calls them."""

from __future__ import annotations

import inspect
import os
import pickle
import signal
from typing import Any

import ray

from actors.child.actor import hosting_of
from actors.child.protocol import Answer, CallHeader, Recipe, pack_call, unpack_answer
from actors.runtime.ids import NAMESPACE
from actors.runtime.wire import dumps
from tests.ray_local.child_ports import FilePorts

LEADER = 1
PATIENCE_S = 30.0


def recipe_for(cls: type[Any], *args: Any, key: str = "child/cart", **changes: Any) -> Recipe:
    arguments, refs = dumps((args, {}))
    soon = any(inspect.iscoroutinefunction(value) or inspect.isasyncgenfunction(value) for value in vars(cls).values())
    name = f"{cls.__module__}.{cls.__qualname__}"
    return Recipe(
        key=key,
        cls=pickle.dumps(cls),
        class_name=name,
        arguments=arguments,
        refs=tuple(refs),
        asynchronous=soon,
        **changes,
    )


class Family:
    """The actors of one test's children; they end with it."""

    def __init__(self, supervisor: str, ports: FilePorts) -> None:
        self.supervisor = supervisor
        self.ports = ports
        self.actors: list[Any] = []

    def actor(self, recipe: Recipe, name: str, *, shared: bool = False) -> Any:
        """An actor that hosts nobody yet."""
        kind, at_once = hosting_of(recipe, shared=shared)
        options = {"name": f"{self.supervisor}/{name}", "namespace": NAMESPACE, "num_cpus": 0, "max_restarts": 0}
        made = kind.options(**options, max_concurrency=at_once).remote(f"{self.supervisor}/{name}", LEADER, self.ports)
        self.actors.append(made)
        return made

    def child(self, recipe: Recipe, incarnation: int = 1, role: Any = "active") -> Life:
        """One incarnation of a child in an actor of its own, ready."""
        actor = self.actor(recipe, f"{recipe.key}#{incarnation}")
        life = Life(actor, recipe, incarnation)
        life.build(role)
        return life

    def end(self) -> None:
        for actor in self.actors:
            ray.kill(actor)


class Life:
    """One incarnation of a child, and one client of it."""

    def __init__(self, actor: Any, recipe: Recipe, incarnation: int) -> None:
        self.actor = actor
        self.recipe = recipe
        self.key = recipe.key
        self.incarnation = incarnation
        self.client = f"client-{incarnation}"
        self.number = 0
        self.settles = True

    def build(self, role: Any = "active") -> bytes:
        built = self.get(self.actor.build.remote(LEADER, self.recipe, self.incarnation, role))
        self.heartbeat()
        return built

    @staticmethod
    def get(ref: Any) -> Any:
        return ray.get(ref, timeout=PATIENCE_S)

    def header(self, method: str) -> CallHeader:
        self.number += 1
        return (self.client, self.number, self.number - 1 if self.settles else 0, method, self.incarnation)

    def send(self, method: str, *args: Any, header: CallHeader | None = None) -> Any:
        """Begin a call; `header` repeats an earlier one."""
        payload, refs = dumps((args, {}))
        return self.actor.call.remote(self.key, header or self.header(method), payload, tuple(refs))

    def answer(self, method: str, *args: Any) -> Answer:
        return self.get(self.send(method, *args))

    def packed(self, method: str, *args: Any) -> Any:
        packed = pack_call(self.key, self.header(method), dumps((args, {}))[0])
        return unpack_answer(self.get(self.actor.call_packed.remote(packed)))

    def value(self, method: str, *args: Any) -> Any:
        return value_of(self.answer(method, *args))

    def stream(self, method: str, *args: Any) -> Any:
        """The references of a stream's answers."""
        return self.actor.stream.remote(self.key, self.header(method), dumps((args, {}))[0], ())

    def heartbeat(self) -> dict[str, Any]:
        return self.get(self.actor.heartbeat.remote(LEADER))

    def pid(self) -> int:
        return self.get(self.actor.describe.remote()).pid

    def signal(self, number: signal.Signals = signal.SIGKILL) -> None:
        os.kill(self.pid(), number)

    def name(self) -> str:
        return self.get(self.actor.describe.remote()).name


def value_of(answer: Answer) -> Any:
    kind, payload = answer[0], answer[1]
    if kind == "error":
        raise pickle.loads(payload)
    assert kind == "ok", answer
    return pickle.loads(payload)
