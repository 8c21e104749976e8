"""Nodes die, hang, are drained, and the GCS stands still: tasks on the pool end well through each."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ray_cluster import scenes
from tests.ray_cluster.apart import Stage

pytestmark = pytest.mark.timeout(190)


@pytest.mark.soak  # `test_children.py` kills a node by default
def test_a_killed_nodes_workers_are_replaced_elsewhere_and_all_tasks_end(three_nodes: Stage, tmp_path: Path):
    seen = three_nodes.play(scenes.node_killed, log=str(tmp_path))
    assert set(seen.pop("ends")) <= {"node_lost", "killed"}
    assert seen == {"right": True, "agents": 2, "rows": [scenes.TASKS] * 2, "incarnation": 1, "others": 2}


@pytest.mark.soak  # `test_children.py` has a hung node by default
def test_a_hung_nodes_workers_run_on_and_are_replaced_all_the_same(three_nodes: Stage, tmp_path: Path):
    assert three_nodes.play(scenes.node_hung, log=str(tmp_path)) == {
        "right": True,
        "ran_on": True,
        "left": 0,
        "incarnation": 1,
        "others": 2,
    }


@pytest.mark.soak  # `test_children.py` has a silent GCS by default
def test_tasks_run_while_the_gcs_stands_still_and_a_lost_worker_is_replaced_afterwards(
    three_nodes: Stage, tmp_path: Path
):
    assert three_nodes.play(scenes.gcs_stands_still, log=str(tmp_path)) == {
        "unknown": True,
        "right": True,
        "again": True,
        "incarnation": 1,
        "nodes": 3,
    }


def test_a_drain_is_seen_ahead_while_the_nodes_actors_live(three_nodes: Stage):
    seen = three_nodes.play(scenes.node_drained)
    assert 0 < seen.pop("deadline_in_s") <= 30
    assert seen == {"before": {}, "reason": "preemption", "alive": True}


def test_a_fault_ends_with_its_block(three_nodes: Stage):
    assert three_nodes.play(scenes.fault_in_a_failing_test) == {"still_stopped": False}


def test_a_leader_whose_job_has_ended_has_warm_processes(three_nodes: Stage):
    assert three_nodes.play(scenes.leader_of_a_job_that_ended) == {"told": []}
