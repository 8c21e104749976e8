"""Supervised children on a cluster whose nodes die, hang or drain, and under schedules of faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ray_cluster import households
from tests.ray_cluster.apart import Stage

SEEDS = range(3)
SOAK_SEEDS = range(3, 50)

pytestmark = pytest.mark.timeout(190)


def test_a_child_of_a_killed_node_goes_on_elsewhere(three_nodes: Stage, tmp_path: Path):
    seen = three_nodes.play(households.child_of_a_killed_node, log=str(tmp_path))
    assert seen == {"acknowledged": 5, "after": 6, "moved": True}


def test_a_child_of_a_hung_node_is_fenced_while_it_still_runs(three_nodes: Stage, tmp_path: Path):
    seen = three_nodes.play(households.child_of_a_hung_node, log=str(tmp_path))
    assert seen == {"ran_on": True, "counts": [1, 2, 3], "moved": True}


def test_a_child_leaves_a_draining_node_before_it_goes(three_nodes: Stage, tmp_path: Path):
    seen = three_nodes.play(households.child_of_a_drained_node, log=str(tmp_path))
    assert seen == {
        "kept": True,
        "before_it_went": True,
        "bound": True,
        "why": ["preempted"],
        "counted": 0,
        "on_node": ["child", "supervisor", "its child"],
        "names": ["the node", "those there are", "the class"],
    }


def test_children_answer_while_the_gcs_stands_still(three_nodes: Stage, tmp_path: Path):
    seen = three_nodes.play(households.children_without_a_gcs, log=str(tmp_path))
    assert seen == {"before": [1, 2, 3], "during": [4, 5, 6], "late": [1]}


@pytest.mark.parametrize("seed", [*SEEDS, *(pytest.param(seed, marks=pytest.mark.soak) for seed in SOAK_SEEDS)])
def test_a_schedule_of_faults_breaks_no_promise(three_nodes: Stage, tmp_path: Path, seed: int):
    seen = three_nodes.play(households.schedule, log=str(tmp_path), seed=seed)
    assert seen["errors"] == []
    assert seen["broken"] == {}, f"a call was lost, doubled or out of order under {seen['faults']}"
    assert seen["accepted_rise"], "an earlier incarnation was accepted after a later one"
    assert seen["busiest"] <= households.BORNE, "more restarts than the intensity bears"
    assert seen["frail"] == [1, "given_up"], "one restart is borne, and no second one, whoever led meanwhile"
    assert seen["left"] == []
    assert seen["answers"] > 0
