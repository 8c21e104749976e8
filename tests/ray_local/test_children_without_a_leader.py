"""Supervised children while nobody leads: the supervisor, its standby and children are killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from supervisor import Supervisor
from tests.ray_local import wards

ANSWER_S = 30.0

Eventually = Callable[..., None]


def pid(child: Any) -> int:
    return int(child.pid.remote().result(timeout=ANSWER_S))


def kill(process: int) -> None:
    os.kill(process, signal.SIGKILL)


def test_a_supervisor_killed_leaves_its_children_alone(sup: Supervisor, family: Any, eventually: Eventually):
    group = sup.group("shop", strategy="rest_for_one", intensity=20, period_s=60)
    trio: dict[str, Any] = {name: group.supervise(wards.Ward, name=name, standbys=int(name == "a")) for name in "abc"}
    eventually(lambda: sup.status().standby is not None, "a standby supervisor")
    before, first = {name: pid(ward) for name, ward in trio.items()}, sup.status()
    kill(family.leader_pid())
    eventually(lambda: sup.status().incarnation > first.incarnation, "the successor")
    assert {name: pid(ward) for name, ward in trio.items()} == before
    assert [getattr(member, "key", None) for member in group.children()] == [
        "child/shop.a",
        "child/shop.b",
        "child/shop.c",
    ]
    kill(before["b"])
    eventually(lambda: pid(trio["b"]) != before["b"] and pid(trio["c"]) != before["c"], "the strategy lives on")
    assert pid(trio["a"]) == before["a"]


def test_supervisor_standby_and_child_killed_together(sup: Supervisor, family: Any, eventually: Eventually):
    ward: Any = sup.supervise(wards.Ward, name="cart", checkpoint="each_call")
    assert ward.add.remote(7).result(timeout=ANSWER_S) == 7
    eventually(lambda: sup.status().standby_location is not None, "a standby supervisor")
    seen = sup.status()
    assert seen.standby_location is not None
    for process in (seen.standby_location.process.pid, family.leader_pid(), pid(ward)):
        kill(process)
    assert ward.add.remote().result(timeout=60) == 8, "spec and state survive"
    assert sup.child("cart").seen.remote().result(timeout=ANSWER_S) == 8
