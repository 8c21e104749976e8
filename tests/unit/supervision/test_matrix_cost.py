"""The test matrix: ten times the children cost at most fifteen times. What is counted are calls, not seconds."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from supervisor import messages as m
from supervisor import requests as r
from supervisor.tree import Strategy
from tests.unit.supervision.scene import NODE, OTHER, Scene, Spec, child, group, pool, workers

FEW, MANY = 40, 400


class Cheap(Scene):
    """A scene whose events are told without a look at the whole tree; the calls that the machine makes are counted."""

    calls = 0

    def tell(self, event: m.Event) -> list[m.Command]:
        def count(*_: object) -> None:
            self.calls += 1

        before = sys.getprofile()
        sys.setprofile(count)
        try:
            commands = self.machine.handle(event, self.now)
        finally:
            sys.setprofile(before)
        return commands

    def _life(self, name: str, incarnation: int | None) -> tuple[str, int]:
        assert incarnation is not None
        return name, incarnation


def cost(specs: list[Spec], then: Callable[[Cheap], object], **settings: object) -> int:
    scene = Cheap(*specs, **settings)  # type: ignore[arg-type] - settings of a scene
    scene.run(scene.lead())
    before = scene.calls
    then(scene)
    return scene.calls - before


def children(count: int, **settings: object) -> list[Spec]:
    return [child(f"c{number}", **settings) for number in range(count)]


def grows(make: Callable[[int], list[Spec]], then: Callable[[Cheap], object], **settings: object) -> float:
    return cost(make(MANY), then, **settings) / cost(make(FEW), then, **settings)


def everything(scene: Cheap) -> None:
    """A life: heartbeats, one death in ten, the end."""
    asked = scene.wait(1.0)
    for command in asked:
        if isinstance(command, m.AskHeartbeat):
            scene.answered(command.key, command.incarnation)
    for command in asked[::10]:
        if isinstance(command, m.AskHeartbeat):
            scene.run(scene.died(command.key, "killed", command.incarnation))
    scene.run(scene.shut_down())


def test_a_whole_life_of_ten_times_the_children_costs_at_most_fifteen_times() -> None:
    assert grows(children, everything) <= 15
    assert grows(lambda count: [workers(count - 5, 5)], everything) <= 15
    assert grows(lambda count: [pool("p", count)], everything) <= 15


@pytest.mark.parametrize("strategy", ["one_for_one", "one_for_all", "rest_for_one"])
def test_a_restart_with_ten_times_the_siblings_costs_at_most_fifteen_times(strategy: Strategy) -> None:
    def make(count: int) -> list[Spec]:
        return [group("g", *children(count), strategy=strategy)]

    assert grows(make, lambda scene: scene.run(scene.died("child/g.c0", "killed", 1))) <= 15
    assert grows(make, lambda scene: scene.run(scene.ask(r.Terminate(member="g")))) <= 15


@pytest.mark.parametrize("strategy", ["one_for_one", "rest_for_one"])
def test_an_end_that_concerns_nobody_else_costs_the_same_among_ten_times_the_siblings(strategy: Strategy) -> None:
    def last_dies(count: int) -> int:
        key = f"child/g.c{count - 1}"
        specs = [group("g", *children(count), strategy=strategy)]
        return cost(specs, lambda scene: scene.run(scene.died(key, "killed", 1)))

    assert last_dies(MANY) <= 1.5 * last_dies(FEW)


def test_single_events_cost_the_same_in_ten_times_the_tree() -> None:
    events: list[Callable[[Cheap], object]] = [
        lambda scene: scene.answered("child/c1", 1),
        lambda scene: scene.run(scene.died("child/c1", "killed", 1)),
        lambda scene: scene.unhealthy("child/c1", "ill", 1),
        lambda scene: scene.run(scene.add(child("new"))),
        lambda scene: scene.run(scene.ask(r.Terminate(member="child/c1"))),
        lambda scene: scene.ask(r.Resize(member="child/c1", standbys=2)),
        lambda scene: scene.ask(r.Delete(member="child/nobody")),
    ]
    for event in events:
        assert grows(children, event) <= 1.5


def test_a_node_that_is_about_to_go_costs_what_runs_on_it() -> None:
    def make(count: int) -> list[Spec]:
        return [child("here", node_id=NODE), *children(count, node_id=OTHER)]

    assert grows(make, lambda scene: scene.see(NODE, OTHER, draining=(NODE,)), nodes=(NODE, OTHER)) <= 1.5


def test_a_failover_with_ten_times_the_children_costs_at_most_fifteen_times() -> None:
    def take_over(count: int) -> int:
        before = Cheap(*children(count), root={"intensity": MANY})
        before.run(before.lead())
        scene = Cheap(ledger=before.machine.ledger(), incarnation=3)
        actors = [m.KnownActor(key=f"child/c{number}", incarnation=1, alive=number % 3 > 0) for number in range(count)]
        scene.run(scene.lead(*actors, succeeds=True))
        return scene.calls

    assert take_over(MANY) <= 15 * take_over(FEW)
