"""A breaker is one on all nodes, and outlives the node of its owner."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.ray_cluster import guards
from tests.ray_cluster.apart import Stage

pytestmark = [pytest.mark.timeout(190), pytest.mark.soak]


def test_processes_of_three_nodes_share_it_and_the_loss_of_its_owners_node_leaves_it_shut(
    three_nodes: Stage, tmp_path: Path
):
    seen = three_nodes.play(guards.breakers_of_three_nodes, log=str(tmp_path))
    assert seen["nodes"] == 3
    assert seen["forced"] == ["forced_open"]
    assert seen["enabled"] == ["closed"]
    assert seen["failed"] >= 6
    assert seen["opened"] == ["open"]
    assert "failure_rate=0.5" in seen["why"]
    assert seen["refused"] == [["refused"], ["refused"]]
    assert seen["closed"] == ["closed"]
    assert seen["moved"]


def test_an_override_survives_the_owner_on_another_node(three_nodes: Stage, tmp_path: Path):
    seen = three_nodes.play(guards.owner_of_another_node_is_killed, log=str(tmp_path))
    assert seen["states"] == ["forced_open"]
    assert "ann: until Monday" in seen["why"]


def test_a_quorum_of_nodes_is_had_by_processes_of_two_nodes(three_nodes: Stage, tmp_path: Path):
    seen = three_nodes.play(guards.nodes_agree, log=str(tmp_path))
    assert seen["alone"] == "closed"
    assert seen["votes"] == [1, 2, "nodes"]
    assert seen["opened"] == ["open"]
    assert re.search(r"2 of [23] nodes have opened themselves \(quorum=2\)", seen["why"])
