"""Damage to the tree is found and named."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from supervisor.supervision.invariants import broken
from supervisor.supervision.state import State
from supervisor.tree import Life
from tests.unit.supervision.scene import NODE, Scene, child, group, workers


def tree() -> State:
    scene = Scene(workers(1, 1), child("a", standbys=1), group("g", child("b"), group("h", child("c"))), nodes=(NODE,))
    return scene.up().machine._s


def test_a_sound_tree_is_sound() -> None:
    assert broken(tree()) == []


def _set(owner: str, name: str, value: object) -> Callable[[State], None]:
    """Damage: that attribute of a child, a group or a pool."""

    def damage(state: State) -> None:
        found = state.children.get(owner) or state.groups.get(owner)
        setattr(found, name, value)

    return damage


def _pool(name: str, value: object) -> Callable[[State], None]:
    return lambda state: setattr(state.pools["pool:p"], name, value)


def _alive_in_what_is_down(state: State) -> None:
    state.groups["g"].is_down, state.groups["g"].status = True, "stopped"


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda state: state.groups["root"].members.pop("child/a"), "child/a: is in no group"),
        (lambda state: state.groups.pop("g.h"), "g: holds g.h, which is not there"),
        (lambda state: state.children.pop("child/a"), "root: holds child/a, which is not there"),
        (lambda state: state.children["child/a"].lives.pop(1), "child/a: is running, its accepted life is None"),
        (_set("child/a", "status", "starting"), "child/a: is starting, its accepted life is running"),
        (_set("child/a", "status", "stopped"), "child/a: is stopped and has an accepted life"),
        (_set("child/g.b", "lives", {}), "child/g.b: is running, its accepted life is None"),
        (_set("child/a", "last", 1), "child/a: life 2 is beyond the last number 1"),
        (_set("child/a", "incarnation", 3), "child/a: life 2 stands by for the later life 3"),
        (_set("child/a", "current_from", 3), "child/a: life 2 stands by, and was built of another spec"),
        (_alive_in_what_is_down, "child/g.b: lives in g, which is down"),
        (_alive_in_what_is_down, "g: is down, and g.h in it is not"),
        (_set("g", "is_down", True), "g: is down and running"),
        (_set("g", "status", "given_up"), "g: is up and given_up"),
        (_set("g", "todo", {"child/g.b": None}), "g: is running and has members to start or to end"),
        (_set("g", "todo", {"child/a": None}), "g: works on what is no member of it"),
        (_set("g", "status", "stopping"), "g: is stopping and waits for nobody"),
        (_set("g", "begun", {"child/g.b"}), "g: has begun {'child/g.b'}, which is on no list"),
        (_set("g", "restarted_at", (1.0,) * 101), "g: is over its intensity"),
        (_pool("active", 0), "pool:p: counts 0 active members of 1"),
        (_pool("standbys", {}), "pool:p: counts set() standing by, of {'worker/p-1'}"),
        (_pool("size", 2), "pool:p: has a free place and somebody who stands by"),
        (_set("worker/p-0", "status", "starting"), "pool:p: worker/p-0 is active and starting"),
        (lambda state: state.lives_on[NODE].clear(), "does not know which lives are on which node"),
        (lambda state: state.await_news("child/x", "r", "up"), "somebody waits for child/x, which is not there"),
        (lambda state: state.groups["root"].members.pop("g"), "{'g"),
    ],
)
def test_damage_is_named(damage: Callable[[State], object], problem: str) -> None:
    state = tree()
    damage(state)
    assert any(found.startswith(problem) for found in broken(state)), broken(state)


def test_what_is_down_is_checked_too() -> None:
    scene = Scene(group("g", child("b"), intensity=0, restart="transient")).up()
    scene.run(scene.died("g.b"))
    state = scene.machine._s
    state.groups["g"].todo["child/g.b"] = None
    state.requested.add("child/g.b")
    state.requested.discard("child/g.b")
    state.children["child/g.b"].lives[2] = Life(2, standby=True)
    state.children["child/g.b"].last = 2
    found = broken(state)
    assert "g: is down and has members to start or to end" in found
    assert "child/g.b: is given_up and has standbys" in found
    state.children["child/g.b"].lives.clear()
    state.groups["g"].todo.clear()
    state.children["child/g.b"].status = "stopping"
    state.requested.add("child/g.b")
    found = broken(state)
    assert "child/g.b: is stopping without a life" in found
    assert "child/g.b is being started on request, and is down" in found
