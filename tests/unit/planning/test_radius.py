"""Bounds hold: those of the experiment, and those of the cluster."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from experiments.model.safety import Safety
from experiments.planning.ground import Ground
from experiments.planning.inventory import Active, Moment, Target
from experiments.planning.planning import make_plan
from experiments.planning.radius import cluster_refusals, is_named, target_refusals
from experiments.planning.reach import aim
from supervisor.chaos_settings import BlastRadius, BusinessHours, ChaosSettings
from tests.unit.planning.scene import OTHERS, WORKERS, experiment, inventory

MONDAY = {"UTC": Moment(day="mon", clock="09:00")}


def rules(safety: dict[str, Any], *drawn: Target, **there: Any) -> list[str]:
    cluster = inventory(**there)
    aims = [aim(0, "crash", {}, target, cluster) for target in drawn]
    return [each.rule for each in target_refusals(aims, Safety.parse(safety, source="t"), cluster)]


def test_protected_names_and_their_last_parts() -> None:
    assert is_named("child/cart", ("cart",))
    assert is_named("child/cart", ("child/*",))
    assert not is_named("child/cart", ("car",))


@pytest.mark.parametrize(
    ("safety", "there", "expected"),
    [
        ({}, {}, []),
        ({}, {"halted": "ann: enough"}, ["halted"]),
        ({}, {"active": (Active(run="r1", ground=Ground()),)}, ["limit"]),
        ({}, {"active": (Active(run="r1", ground=Ground()),), "limit": 2}, []),
        ({"least_health": 80}, {"health": 80.0}, []),
        ({"least_health": 80}, {"health": 79.0}, ["health"]),
        ({"least_health": 80}, {"health": None}, ["health"]),
        ({"hours": [{}]}, {"moments": MONDAY}, []),
        ({"hours": [{}]}, {"moments": {"UTC": Moment(day="mon", clock="17:00")}}, ["hours"]),
        ({"hours": [{}]}, {"moments": {"UTC": Moment(day="sun", clock="10:00")}}, ["hours"]),
        ({"hours": [{"zone": "Europe/Berlin"}]}, {"moments": MONDAY}, ["hours"]),
    ],
)
def test_what_the_cluster_forbids(safety: dict[str, Any], there: dict[str, Any], expected: list[str]) -> None:
    asked = experiment(safety=safety)
    assert [each.rule for each in cluster_refusals(asked, inventory(**there))] == expected


def test_too_few_nodes() -> None:
    assert [each.rule for each in cluster_refusals(experiment(nodes=3), inventory())] == ["nodes"]


def test_how_much_is_hit_at_a_time() -> None:
    wide = {"blast_radius": {"targets": 5, "nodes": 2}}
    assert rules({}, WORKERS[0]) == []
    assert rules({}, WORKERS[0], WORKERS[1]) == ["blast_radius", "blast_radius"]
    assert rules(wide, *WORKERS[:3]) == []
    assert rules(wide, *WORKERS[:4]) == ["blast_radius"]
    assert rules(wide, OTHERS[2]) == [], "what there is one of may be hit"


def test_safe_mode_hits_only_what_opted_in() -> None:
    willing = Target(name="child/x", kind="child", labels={"chaos": "allowed"})
    assert rules({}, OTHERS[0], embedded=False) == ["opt_in"]
    assert rules({}, willing, embedded=False) == []
    assert rules({"opt_in": "app=shop"}, OTHERS[0], embedded=False) == []


def test_an_experiment_cannot_choose_its_own_opt_in_where_the_owner_names_one() -> None:
    willing = Target(name="child/x", kind="child", labels={"chaos": "allowed", "app": "shop"})
    own = {"opt_in": "app=shop"}
    assert rules(own, OTHERS[0], embedded=False, opt_in="chaos=allowed") == ["opt_in"]
    assert rules(own, willing, embedded=False, opt_in="chaos=allowed") == []
    assert rules({}, OTHERS[0], embedded=False, opt_in="chaos=allowed") == ["opt_in"], "told once"
    assert rules(own, OTHERS[0], embedded=True, opt_in="chaos=allowed") == [], "safe mode is off"


@pytest.mark.parametrize("name", ["breaker/payments", "dependency/bank", "healer/root", "event_log/writer"])
def test_owners_opt_in_as_children_do(name: str) -> None:
    kind: Any = name.partition("/")[0]
    settings = ChaosSettings(labels={name: {"chaos": "allowed"}})
    willing, other = (Target(name=each, kind=kind, labels=settings.labels_of(each)) for each in (name, f"{name}2"))
    assert rules({}, willing, embedded=False) == []
    assert rules({}, other, embedded=False) == ["opt_in"]


def test_nodes_only_where_both_say_so_and_nobody_twice() -> None:
    node = OTHERS[3]
    wide = {"blast_radius": {"targets": 6}}
    assert rules(wide, node) == rules({"ephemeral": True, **wide}, node) == ["ephemeral"]
    assert rules(wide, node, ephemeral=True) == ["ephemeral"]
    assert rules({"ephemeral": True, **wide}, node, ephemeral=True) == []
    assert rules({"ephemeral": True}, node, ephemeral=True) == ["blast_radius"], "who is on it goes with it"
    busy = (Active(run="r1", ground=Ground(names=("worker/w0",))),)
    assert rules({}, WORKERS[0], active=busy, limit=2) == ["overlap"]


def told(fault: dict[str, Any], safety: Any = None, **there: Any) -> list[str]:
    """Each refusal of a plan, as `rule: words`."""
    plan = make_plan(experiment(fault, safety=safety or {}), inventory(**there))
    return [f"{each.rule}: {each.words}" for each in plan.refusals]


BURN = {"fault": "exhaustion", "target": {"kind": "worker", "name": "w0"}, "resource": "cpu", "amount": 0.5}
ROOM = {"blast_radius": {"targets": 5, "share": 0.5}}


def test_what_burns_a_node_counts_everybody_there() -> None:
    """On n0 are w0, w2, w4, the cart and the supervisor."""
    assert told(BURN) == [
        "blast_radius: 5 targets are hit at a time, 4 of them because their node is, and blast_radius.targets is 1"
    ]
    assert told(BURN, safety=ROOM) == []
    assert told(BURN, safety={"blast_radius": {"targets": 5, "share": 0.4}}) == [
        "blast_radius: 3 of 6 of kind worker are hit, 4 of them because their node is, and blast_radius.share is 0.4"
    ]
    files = {**BURN, "resource": "files"}
    assert told(files) == [], "what a process may open is its own"


def test_in_safe_mode_everybody_there_must_have_opted_in() -> None:
    willing = {"chaos": "allowed"}
    targets = tuple(replace(each, labels=willing) for each in (*WORKERS, OTHERS[0]))
    assert told(BURN, safety=ROOM, embedded=False, targets=targets) == []
    assert told(BURN, safety=ROOM, embedded=False, targets=(*targets, OTHERS[2])) == [
        "opt_in: supervisor/root are hit, too, because their node is, and did not opt in; label them chaos=allowed"
    ]


@pytest.mark.parametrize("name", ["cart", "node/n0"])
def test_what_is_protected_protects_its_node(name: str) -> None:
    (refused,) = told(BURN, safety={**ROOM, "protected": [name]})
    assert refused.startswith("protected: method[0]: worker/w0 shares its node with ")
    assert told({**BURN, "target": {"kind": "worker", "name": "w1"}}, safety={**ROOM, "protected": [name]}) == []


def test_who_shares_a_process_is_selected_too_or_nobody_is_hit() -> None:
    one, other = (Target(name=f"child/{name}", kind="child", node="n0", process="n0/7/1") for name in "ab")
    there: dict[str, Any] = {"targets": (*WORKERS, one, other)}
    both = {"blast_radius": {"targets": 2, "share": 1}}
    crash = {"target": {"kind": "child", "everything": True}}
    assert told(crash, safety=both, **there) == []
    for how in ({}, {"fault": "hang"}, {"fault": "exhaustion", "resource": "files", "amount": 0.5}):
        refused = told({"target": {"kind": "child", "name": "a"}, **how}, **there)
        assert refused == ["selection: method[0]: child/a shares its process with child/b, not selected"], how
    for how in ({"fault": "hang", "how": "block"}, {"fault": "latency", "delay_s": 1}):
        assert told({"target": {"kind": "child", "name": "a"}, **how}, **there) == [], how


def test_experiments_overlap_by_process_and_by_node() -> None:
    one, other = (Target(name=f"child/{name}", kind="child", node="n0", process="n0/7/1") for name in "ab")
    there: dict[str, Any] = {"targets": (*WORKERS, one, other, *OTHERS), "limit": 2}
    slow = {"fault": "latency", "delay_s": 1}
    first = make_plan(experiment({"target": {"kind": "child", "name": "a"}, **slow}), inventory(**there))
    busy = {**there, "active": (Active(run="r1", ground=first.ground),)}
    assert told({"target": {"kind": "child", "name": "b"}, **slow}, **busy) == [
        "overlap: process n0/7/1 are hit by r1 already"
    ]
    assert told({"target": {"kind": "worker", "name": "w0"}}, **busy) == [], "one node may bear two experiments"
    (refused,) = told(BURN, safety={"blast_radius": {"targets": 9, "share": 1}}, **busy)
    assert refused == "overlap: child/a, node n0 are hit by r1 already"
    burning = make_plan(experiment(BURN), inventory(**there))
    later = Target(name="child/new", kind="child", node="n0")
    busy = {**there, "targets": (later,), "active": (Active(run="r2", ground=burning.ground),)}
    assert told({"target": {"kind": "child"}, **slow}, **busy) == ["overlap: node n0 are hit by r2 already"]


def test_the_owner_of_a_cluster_bounds_what_any_experiment_says_of_itself() -> None:
    wide = {"blast_radius": {"targets": 100, "nodes": 100, "share": 1}}
    crash = {"target": {"kind": "worker", "count": 3}}
    assert told(crash, safety=wide) == []
    assert told(crash, safety=wide, blast_radius=BlastRadius(targets=2, share=0.4, nodes=9)) == [
        "blast_radius: 3 targets are hit at a time, and this cluster's blast_radius.targets is 2",
        "blast_radius: 3 of 6 of kind worker are hit, and this cluster's blast_radius.share is 0.4",
    ]
    owner = {"hours": (BusinessHours(),), "moments": {"UTC": Moment(day="sun", clock="10:00")}}
    (closed,) = told({"target": {"kind": "worker"}}, **owner)
    assert closed == "hours: this cluster lets experiments run only mon/tue/wed/thu/fri 09:00-17:00 UTC"
    owner = {"least_health": 80.0, "health": 79.0}
    assert told({"target": {"kind": "worker"}}, **owner) == ["health: the system's health is 79, and it starts at 80"]
