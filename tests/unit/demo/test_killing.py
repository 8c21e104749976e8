"""The kill plan is seeded, complete and spread; only those who serve are victims."""

from __future__ import annotations

from random import Random

import pytest

from actors.runtime.process import ProcessIdentity
from experiments.demo.killing import (
    FIRST_AT,
    LAST_AT,
    WORKER_KILLS_MAX,
    WORKER_KILLS_MIN,
    Kind,
    candidates,
    plan_kills,
)
from supervisor.messages import ChildView
from supervisor.tree import Location, Role, Status

HERE = Location(process=ProcessIdentity(4242, 17), node_id="n", host="h")


def child(name: str, *, role: Role = "active", status: Status = "running", at: Location | None = HERE) -> ChildView:
    key = name.partition("/")[2].partition("#")[0]
    return ChildView(key=key, name=name, status=status, role=role, restarts=0, location=at, last_error="")


def count(tasks: int, kind: Kind) -> int:
    return sum(planned.kind == kind for planned in plan_kills(tasks, Random(1)))


def test_the_same_seed_gives_the_same_plan():
    assert plan_kills(2000, Random(7)) == plan_kills(2000, Random(7))
    assert plan_kills(2000, Random(7)) != plan_kills(2000, Random(8))


@pytest.mark.parametrize(
    ("tasks", "workers"), [(1, WORKER_KILLS_MIN), (200, 2), (1000, 4), (2000, 8), (50_000, WORKER_KILLS_MAX)]
)
def test_every_plan_holds_each_kind_and_several_workers(tasks: int, workers: int):
    assert count(tasks, "worker") == workers
    assert [count(tasks, kind) for kind in ("hung worker", "log writer", "supervisor")] == [1, 1, 1]


@pytest.mark.parametrize("seed", range(50))
def test_kills_are_spread_over_the_run_in_order(seed: int):
    plan = plan_kills(2000, Random(seed))
    fractions = [planned.at for planned in plan]
    width = (LAST_AT - FIRST_AT) / len(plan)
    assert fractions == sorted(fractions)
    assert fractions[0] >= FIRST_AT
    assert fractions[-1] <= LAST_AT
    parts = [FIRST_AT + width * number for number in range(len(plan))]
    assert all(part <= at <= part + width for part, at in zip(parts, fractions, strict=True))


def test_the_order_of_kinds_depends_on_the_seed():
    assert len({tuple(planned.kind for planned in plan_kills(200, Random(seed))) for seed in range(20)}) > 10


def test_only_workers_that_serve_are_victims():
    tree = [
        child("demo/worker/default-0#1"),
        child("demo/worker/default-1#3"),
        child("demo/worker/default-2#1", role="standby"),
        child("demo/worker/default-3#2", status="restarting"),
        child("demo/worker/default-4#1", at=None),
        child("demo/event_log/writer#1", role="service"),
        child("demo/node_agent/abc#1", role="service"),
    ]
    struck = {"demo/worker/default-1#3"}
    assert [each.name for each in candidates("worker", tree, struck)] == ["demo/worker/default-0#1"]
    assert candidates("hung worker", tree, struck) == candidates("worker", tree, struck)
    assert [each.name for each in candidates("log writer", tree, struck)] == ["demo/event_log/writer#1"]
    assert candidates("supervisor", tree, struck) == []


def test_a_victim_s_successor_may_be_struck_again():
    tree = [child("demo/worker/default-0#2")]
    assert candidates("worker", tree, {"demo/worker/default-0#1"}) == tree
