"""Bounds hold: those of the experiment, and those of the cluster."""

from __future__ import annotations

from typing import Any

import pytest

from experiments.model.safety import Safety
from experiments.planning.inventory import Active, Moment, Target
from experiments.planning.radius import cluster_refusals, is_named, target_refusals
from tests.unit.planning.scene import OTHERS, WORKERS, experiment, inventory

MONDAY = {"UTC": Moment(day="mon", clock="09:00")}


def rules(safety: dict[str, Any], *drawn: Target, **there: Any) -> list[str]:
    return [each.rule for each in target_refusals(drawn, Safety.parse(safety, source="t"), inventory(**there))]


def test_protected_names_and_their_last_parts() -> None:
    assert is_named("child/cart", ("cart",))
    assert is_named("child/cart", ("child/*",))
    assert not is_named("child/cart", ("car",))


@pytest.mark.parametrize(
    ("safety", "there", "expected"),
    [
        ({}, {}, []),
        ({}, {"halted": "ann: enough"}, ["halted"]),
        ({}, {"active": (Active(run="r1", targets=frozenset()),)}, ["limit"]),
        ({}, {"active": (Active(run="r1", targets=frozenset()),), "limit": 2}, []),
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


def test_nodes_only_where_both_say_so_and_nobody_twice() -> None:
    node = OTHERS[3]
    assert rules({}, node) == rules({"ephemeral": True}, node) == rules({}, node, ephemeral=True) == ["ephemeral"]
    assert rules({"ephemeral": True}, node, ephemeral=True) == []
    busy = (Active(run="r1", targets=frozenset(("worker/w0",))),)
    assert rules({}, WORKERS[0], active=busy, limit=2) == ["overlap"]
