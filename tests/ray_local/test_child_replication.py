"""The accepted incarnation in this process, its standbys on Ray: who is sent its state, waited for, and given up."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from actors.child.actor import ChildActor
from actors.child.protocol import STALE
from actors.runtime.wire import dumps
from tests.ray_local.child_ports import FilePorts
from tests.ray_local.child_scene import LEADER, Family, Life, recipe_for, value_of
from tests.ray_local.child_workload import Cart
from tests.ray_local.conftest import unique_name

KEY = "child/cart"


class Here(ChildActor):
    """In the test's own process, where it is nobody's orphan."""

    has_leader = False

    def _know_myself(self) -> None:
        self._me = self


class Scene:
    """An active child here, and what it is asked."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self.recipe = recipe_for(Cart, checkpoint="each_call")
        self.shell: Any = Here(f"{family.supervisor}/{KEY}#1", LEADER, family.ports)
        self.shell.build(LEADER, self.recipe, 1, "active")
        self.number = 0

    def standby(self, incarnation: int) -> Life:
        return self.family.child(self.recipe, incarnation, "standby")

    def attend(self, *standbys: Life) -> None:
        self.shell.attend(LEADER, KEY, tuple(f"{self.family.supervisor}/{KEY}#{each.incarnation}" for each in standbys))

    def call(self, item: int) -> Any:
        self.number += 1
        return self.shell.call(KEY, ("c", self.number, self.number - 1, "add", 1), dumps(((item,), {}))[0])

    def stored(self) -> int:
        folder = self.family.ports.folder / "checkpoints"
        return len(list(folder.iterdir())) if folder.exists() else 0


@pytest.fixture
def scene(ray_session, tmp_path) -> Iterator[Scene]:
    family = Family(unique_name(), FilePorts(tmp_path))
    yield Scene(family)
    family.end()


def kept_by(standby: Life) -> Any:
    return standby.heartbeat()["members"][KEY]["kept"]


def test_standbys_hold_each_call_and_the_store_is_left_alone(scene):
    first, second = scene.standby(2), scene.standby(3)
    scene.attend(first, second)
    assert [value_of(scene.call(item)) for item in (1, 2)] == [1, 2]
    assert [kept_by(first), kept_by(second), scene.stored()] == [(1, 2), (1, 2), 0]


def test_a_dead_standby_is_given_up_and_the_store_takes_its_place(scene):
    standby = scene.standby(2)
    scene.attend(standby)
    scene.call(1)
    standby.signal()
    assert [value_of(scene.call(item)) for item in (2, 3)] == [2, 3]
    assert scene.stored() == 2
    scene.attend(standby)


def test_a_stopped_standby_costs_one_wait_and_comes_back(scene, eventually):
    standby = scene.standby(2)
    pid = standby.pid()
    scene.attend(standby)
    standby.signal(signal.SIGSTOP)
    try:
        assert [value_of(scene.call(item)) for item in (1, 2, 3)] == [1, 2, 3]
        assert scene.stored() == 3
    finally:
        os.kill(pid, signal.SIGCONT)

    def is_in_step() -> bool:
        scene.call(9)
        return kept_by(standby) == (1, scene.number)

    eventually(is_in_step, "the standby in step again")


def test_a_standby_that_was_stopped_in_order_is_no_reason_to_end(scene):
    standby = scene.standby(2)
    scene.attend(standby)
    standby.get(standby.actor.stop.remote(LEADER))
    assert value_of(scene.call(1)) == 1
    assert scene.stored() == 1


def test_an_activated_standby_ends_its_predecessor(scene):
    standby = scene.standby(2)
    scene.attend(standby)
    scene.call(1)
    standby.get(standby.actor.activate.remote(LEADER, KEY, 2))
    assert scene.call(2) == STALE
    assert standby.value("all") == [1]
