"""What a machine cannot do is told before anything is touched."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from experiments.planning.planning import make_plan
from experiments.planning.preflight import Machine, preflight
from tests.unit.planning.scene import experiment, inventory

LINUX = Machine(name="n0", system="Linux", processes=True, cores=2, memory_free_mb=8000.0, log_disk_free_mb=100.0)


def told(machine: Machine, **fault: Any) -> tuple[str, ...]:
    asked = {"target": {"kind": "child"}, **fault}
    return preflight(make_plan(experiment(asked), inventory()), {"n0": machine})


def test_what_can_be_done_is_not_told() -> None:
    assert told(LINUX) == told(LINUX, fault="hang") == ()
    assert told(LINUX, fault="exhaustion", resource="memory", amount=0.5) == ()
    assert told(LINUX, fault="latency", delay_s=1) == ()


def test_what_cannot_is_told_with_its_reason() -> None:
    other = replace(LINUX, system="Darwin", processes=False, memory_free_mb=None)
    assert "no /proc" in told(other)[0]
    assert told(other, how="ray_kill") == told(other, fault="hang", how="block") == ()
    memory = {"fault": "exhaustion", "resource": "memory", "amount": 0.5}
    assert "is not known" in told(replace(LINUX, memory_free_mb=None), **memory)[0]
    assert "nothing to take" in told(replace(LINUX, memory_free_mb=540.0), **memory)[0]
    assert "is not known" in told(LINUX, fault="exhaustion", resource="files", amount=0.5)[0]
    plan = make_plan(experiment({"target": {"kind": "child"}}), inventory())
    assert preflight(plan, {"n1": LINUX, "n2": LINUX}) == (
        "method[0], crash on node n0: nothing is known of that node",
    )
    assert preflight(plan, {"": LINUX}) == (), "the only machine is the one"
