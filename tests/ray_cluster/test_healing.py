"""Healers of a cluster of several nodes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ray_cluster import clinic
from tests.ray_cluster.apart import Stage

pytestmark = pytest.mark.timeout(190)


@pytest.mark.soak
def test_recoveries_run_off_the_failing_node_and_a_node_is_isolated(three_nodes: Stage, tmp_path: Path):
    assert three_nodes.play(clinic.healers_and_isolation, log=str(tmp_path)) == {
        "homes": 2,
        "elsewhere": True,
        "healthy": [True, True],
        "phase": "resolved",
        "why": [],
        "left": [],
        "moved": True,
        "counted": 1,
        "new": False,
        "kept_off": True,
        "readmitted": True,
    }
