"""Experiments on several nodes: a node is lost, halting reaches all of them, and so do successors."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ray_cluster import laboratory
from tests.ray_cluster.apart import Stage

pytestmark = [pytest.mark.soak, pytest.mark.timeout(190)]


def test_a_worker_on_another_node_is_let_go_when_chaos_is_halted(three_nodes: Stage, tmp_path: Path) -> None:
    """It says so itself: what had not ended in its time would be named."""
    assert three_nodes.play(laboratory.halted_elsewhere, log=str(tmp_path)) == {
        "left": [],
        "stopped": 0,
        "verdict": "aborted",
    }


def test_a_killed_runner_leaves_nothing_on_another_node(three_nodes: Stage, tmp_path: Path) -> None:
    seen = three_nodes.play(laboratory.runner_killed, log=str(tmp_path))
    assert seen == {"died": True, "active": 0, "verdict": "aborted", "ledgers": 2}


def test_a_node_that_stands_still_is_borne_and_let_go(three_nodes: Stage, tmp_path: Path) -> None:
    """The last but one: Ray has taken the node for dead."""
    seen = three_nodes.play(laboratory.node_hung, log=str(tmp_path))
    assert seen["verdict"] == "held", seen["reasons"]
    assert (seen["evidence"], seen["active"]) == (["its state in /proc is T"], {})


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_killed_node_is_borne(three_nodes: Stage, tmp_path: Path, seed: int) -> None:
    """The last ones: the cluster has a node less afterwards."""
    seen = three_nodes.play(laboratory.node_killed, log=str(tmp_path), seed=seed)
    assert seen["verdict"] == "held", seen["reasons"]
    assert seen["evidence"] == ["its node has ended in Ray's table"]
    assert seen["elsewhere"]
