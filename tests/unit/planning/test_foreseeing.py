"""A dry run builds nothing: it is planned as if its scene stood, and says what it could not look at."""

from __future__ import annotations

from dataclasses import replace

from experiments.model.loading import load_experiment
from experiments.model.scenes import SCENES
from experiments.planning.foreseeing import (
    as_if_built,
    lacking,
    not_asked,
    not_built,
    scene_is_lacking,
    without_cluster,
)
from experiments.planning.inventory import Inventory, Target
from experiments.planning.planning import make_plan
from tests.unit.planning.scene import experiment

POOL = tuple(Target(name=f"worker/default-{n}", kind="worker", node="n0", group="default") for n in range(4))
LEADER = Target(name="supervisor/root", kind="supervisor", node="n0")
CART = Target(name="child/chaos-shop.cart", kind="child", node="n1", group="chaos-shop")


def there(*more: Target, workers: int = 4) -> Inventory:
    return Inventory(targets=(*POOL[:workers], LEADER, *more), embedded=True)


def names(*targets: Target) -> list[str]:
    return [target.name for target in targets]


def test_what_a_scene_lacks_is_what_is_not_there() -> None:
    found = lacking(SCENES["household"], there(CART))
    assert names(*found) == ["child/chaos-shop.stock", "child/chaos-shop.audit"]
    assert {(target.node, target.group) for target in found} == {("n0", "chaos-shop")}
    assert lacking(SCENES["pool"], there()) == ()


def test_a_pool_that_is_too_small_is_made_larger() -> None:
    assert names(*lacking(SCENES["pool"], there(workers=3))) == ["worker/default-3"]
    assert len(lacking(SCENES["pool"], there(workers=0))) == 4


def test_there_is_one_monitor_whatever_it_is_called() -> None:
    seen = names(*lacking(SCENES["observed"], there()))
    assert seen == ["monitor/root", "healer/root", "breaker/chaos-payments"]
    own = Target(name="health/monitor", kind="monitor", node="n0")
    assert "monitor/root" not in names(*lacking(SCENES["observed"], there(own)))


def test_it_is_planned_as_if_the_scene_stood_with_the_labels_that_its_owner_gives() -> None:
    asked = load_experiment("dependency-down")
    bare = there(Target(name="dependency/chaos-upstream", kind="dependency"))
    assert [each.rule for each in make_plan(load_experiment("kill-breaker"), bare).refusals] == ["selection"]
    targets = lacking(SCENES[asked.chaos.scene], bare)
    whole = as_if_built(bare, targets, lambda name: {"of": name})
    assert make_plan(load_experiment("kill-breaker"), whole).refusals == ()
    assert {target.name: dict(target.labels) for target in whole.targets if target.kind == "breaker"} == {
        "breaker/chaos-payments": {"of": "breaker/chaos-payments"}
    }
    (told,) = not_built("dependency", targets)
    assert told.endswith("breaker/chaos-payments are not there yet")
    assert not_built("dependency", ()) == ()


def test_what_no_plan_looks_at_is_named() -> None:
    guard = {"name": "g", "probe": "measured", "arguments": {"measure": "lost"}, "tolerance": 0}
    assert not_asked(experiment({"target": {"kind": "worker"}})) == ()
    assert len(not_asked(experiment({"target": {"kind": "worker"}}, safety={"guards": [guard]}))) == 1
    assert not_asked(load_experiment("kill-worker")) == ("whether the hypothesis holds: a plan asks no probe",)


def test_without_a_cluster_more_of_it_is() -> None:
    told = "\n".join(without_cluster(load_experiment("kill-node"), SCENES["two_nodes"]))
    for words in ("made up", "owner allows", "halted", "needs 2 nodes", "--address", "asks no probe"):
        assert words in told
    one = "\n".join(without_cluster(load_experiment("kill-worker"), SCENES["pool"]))
    assert "nodes" not in one
    healthy = experiment({"target": {"kind": "worker"}}, safety={"least_health": 80})
    assert "whether the health is 80 at least" in without_cluster(healthy, SCENES["pool"])


def test_a_run_has_the_digits_of_its_dry_run() -> None:
    plan = make_plan(load_experiment("kill-worker"), there())
    dry = replace(plan, unchecked=("x",))
    assert dry.digest() == plan.digest()
    assert b'"unchecked":["x"]' in dry.as_bytes()


def test_a_scene_that_is_lacking_is_told_with_how_it_is_built() -> None:
    told = scene_is_lacking("household", (Target(name="child/chaos-shop.cart", kind="child"),))
    assert told.startswith("child/chaos-shop.cart of its scene 'household' are not there: --scene")
