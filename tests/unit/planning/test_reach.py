"""A fault reaches whoever shares what it is about with its target."""

from __future__ import annotations

from typing import Any

import pytest

from experiments.model.faults import FaultKind
from experiments.model.selector import TargetKind
from experiments.planning.inventory import Target
from experiments.planning.reach import Aim, Scope, aim, ground_of, reached, scope_of
from tests.unit.planning.scene import OTHERS, WORKERS, inventory


@pytest.mark.parametrize(
    ("fault", "how", "kind", "scope"),
    [
        ("exhaustion", {"resource": "cpu"}, "worker", "node"),
        ("exhaustion", {"resource": "memory"}, "node", "node"),
        ("exhaustion", {"resource": "files"}, "worker", "process"),
        ("exhaustion", {"resource": "disk"}, "event_log", "process"),
        ("crash", {"how": "ray_kill"}, "child", "process"),
        ("crash", {}, "node", "node"),
        ("hang", {"how": "sigstop"}, "worker", "process"),
        ("hang", {"how": "sigstop"}, "dependency", "target"),
        ("hang", {"how": "block"}, "worker", "target"),
        ("hang", {}, "gcs", "process"),
        ("latency", {"delay_s": 1}, "worker", "target"),
        ("error", {}, "child", "target"),
        ("unavailable", {"lost": "reply"}, "monitor", "target"),
    ],
)
def test_what_a_fault_is_about(fault: FaultKind, how: dict[str, Any], kind: TargetKind, scope: Scope) -> None:
    assert scope_of(fault, how, kind) == scope


def on_node(target: Target) -> Aim:
    return aim(0, "exhaustion", {"resource": "cpu"}, target, inventory())


def test_neighbours_are_those_of_the_node_but_for_what_is_nobodys() -> None:
    one = on_node(WORKERS[0])
    assert [each.name for each in one.there] == ["worker/w2", "worker/w4", "child/cart", "supervisor/root", "node/n0"]
    assert [each.name for each in one.beside] == ["worker/w2", "worker/w4", "child/cart", "supervisor/root"]
    assert [each.name for each in reached([one, on_node(WORKERS[2])])] == ["child/cart", "supervisor/root", "worker/w4"]
    assert aim(0, "crash", {}, WORKERS[0], inventory()).there == (), "nobody knows its process"


def test_the_ground_has_places_by_what_the_fault_is_about() -> None:
    alone = Target(name="child/x", kind="child", node="n0", process="n0/3/4")
    held = ground_of([aim(0, "latency", {}, alone, inventory())])
    assert (held.names, held.holds, held.stands) == (
        ("child/x",),
        ("process n0/3/4",),
        ("node n0", "process n0/3/4"),
    )
    assert ground_of([on_node(WORKERS[0])]).holds == ("node n0",)
    assert ground_of([aim(0, "latency", {}, OTHERS[1], inventory())]).holds == ()
    nowhere = Target(name="dependency/x", kind="dependency")
    assert ground_of([on_node(nowhere)]).stands == ()
