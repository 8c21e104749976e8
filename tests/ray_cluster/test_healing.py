"""Healers of a cluster of several nodes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ray_cluster import clinic
from tests.ray_cluster.apart import Stage

pytestmark = pytest.mark.timeout(190)


@pytest.mark.soak
def test_recoveries_run_off_the_failing_node_and_off_a_sick_one(three_nodes: Stage, tmp_path: Path):
    seen = three_nodes.play(clinic.healers_elsewhere, log=str(tmp_path))
    assert seen == {"homes": 2, "elsewhere": True, "healthy": [True, True]}


@pytest.mark.soak
def test_a_node_is_drained_and_kept_off_until_it_is_readmitted(three_nodes: Stage, tmp_path: Path):
    assert three_nodes.play(clinic.an_isolated_node, log=str(tmp_path)) == {
        "phase": "resolved",
        "why": [],
        "left": [],
        "moved": True,
        "counted": 1,
        "new": False,
        "kept_off": True,
        "readmitted": True,
    }
