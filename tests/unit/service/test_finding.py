"""Finding owners and hearing of their deaths; only Ray is stood in for."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ray.exceptions import ActorDiedError, ActorUnavailableError

from actors.runtime.errors import SupervisorError
from actors.service import finding
from actors.service.finding import Finder
from supervisor.link import wait_until

WAIT_S = 30.0


class Actor:
    """One that is watched."""

    def __init__(self) -> None:
        self.callbacks: list[Callable[[Any], None]] = []
        self.watch = self

    def remote(self, process: str) -> Actor:
        assert process == "p"
        return self

    def _on_completed(self, callback: Callable[[Any], None]) -> None:
        self.callbacks.append(callback)

    def end(self, error: Exception) -> None:
        self.callbacks[-1](error)


class World:
    """Who owns what, and what the finder said."""

    def __init__(self) -> None:
        self.owners: dict[str, str] = {}
        self.actors: dict[str, Actor] = {}
        self.wanted: queue.Queue[str] = queue.Queue()
        self.found: queue.Queue[tuple[str, str]] = queue.Queue()
        self.died: queue.Queue[str] = queue.Queue()
        self.broken = False
        self.finder = Finder(
            self,
            "p",
            lambda name, full_name, _: self.found.put((name, full_name)),
            self.died.put,
            concern="breaker",
            lookup=self.lookup,
        )

    def lookup(self, full_name: str) -> Any:
        if full_name not in self.actors:
            raise ValueError(full_name)
        return self.actors[full_name]

    def owner_of(self, name: str) -> str | None:
        if self.broken:
            raise SupervisorError("out of reach")
        return self.owners.get(name)

    def want(self, name: str, timeout_s: float = 0.0) -> None:
        del timeout_s
        self.wanted.put(name)

    def run(self, name: str, full_name: str) -> Actor:
        self.actors[full_name] = Actor()
        self.owners[name] = full_name
        self.finder.stir()
        return self.actors[full_name]


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.finder.stop()


def test_an_owner_that_there_is_not_yet_is_wanted_and_found_once_it_runs(world: World):
    world.finder.look_for(("bank",))
    assert world.wanted.get(timeout=WAIT_S) == "bank"
    world.run("bank", "s/breaker/bank#1")
    assert world.found.get(timeout=WAIT_S) == ("bank", "s/breaker/bank#1")


def test_it_looks_again_when_something_happened_and_not_as_fast_as_it_can(world: World, monkeypatch: Any):
    """While an owner is on its way, wanting it ends at once: each end led to the next look, in every process."""
    monkeypatch.setattr(finding, "AGAIN_S", WAIT_S)
    asked = looks = 0
    world.finder.look_for(("bank",))
    for number in range(50):
        world.run(f"shop-{number}", "s/breaker/shard-1#1")

        def found() -> bool:
            nonlocal looks
            looks += 1
            world.finder.look_for((f"shop-{number}",))  # noqa: B023 - called before the next one
            return not world.found.empty()

        assert wait_until(found, WAIT_S)
        while not world.found.empty():
            world.found.get()
    while not world.wanted.empty():
        asked += world.wanted.get() == "bank"
    assert 0 < asked <= 1 + 50 + looks, "the first look, one with each that runs, and those that were asked for"


def test_one_actor_is_watched_once_for_all_of_its_names(world: World):
    actor = world.run("bank", "s/breaker/shard-1#1")
    world.owners["shop"] = "s/breaker/shard-1#1"
    world.finder.look_for(("bank", "shop"))
    assert {world.found.get(timeout=WAIT_S)[0] for _ in range(2)} == {"bank", "shop"}
    assert len(actor.callbacks) == 1


def test_a_death_is_told_once_and_the_dead_is_not_found_again(world: World):
    actor = world.run("bank", "s/breaker/bank#1")
    world.finder.look_for(("bank",))
    world.found.get(timeout=WAIT_S)
    actor.end(ActorDiedError())
    world.finder.tell_dead("s/breaker/bank#1")
    assert world.died.get(timeout=WAIT_S) == "s/breaker/bank#1"
    world.finder.look_for(("bank",))
    world.run("bank", "s/breaker/bank#2")
    assert world.found.get(timeout=WAIT_S) == ("bank", "s/breaker/bank#2")
    assert world.died.empty()


def test_out_of_reach_is_not_dead_and_is_watched_again(world: World):
    actor = world.run("bank", "s/breaker/bank#1")
    world.finder.look_for(("bank",))
    world.found.get(timeout=WAIT_S)
    actor.end(ActorUnavailableError("cut off", None))
    assert wait_until(lambda: len(actor.callbacks) == 2, WAIT_S)
    assert world.died.empty()


def test_while_the_supervisor_is_out_of_reach_it_looks_on(world: World):
    world.broken = True
    world.finder.look_for(("bank",))
    world.run("bank", "s/breaker/bank#1")
    world.broken = False
    assert world.found.get(timeout=WAIT_S) == ("bank", "s/breaker/bank#1")
