"""The whole library, three seeds each, on an embedded cluster's scenes: each comes to the verdict that its file names.

What needs a second node is in `tests/ray_cluster`.
"""

from __future__ import annotations

import pytest

from experiments.model.loading import library_names, load_experiment
from supervisor import Supervisor
from tests.ray_local.trials import told

pytestmark = [pytest.mark.soak, pytest.mark.timeout(240)]
NAMES = [name for name in library_names() if load_experiment(name).chaos.nodes == 1]
SEEDS = (1, 2, 3)
LONGEST_S = 60.0
LAB_POOL = {"intensity": 20, "heartbeat_s": 0.5, "hang_timeout_s": 2.0}


@pytest.mark.parametrize("name", NAMES)
def test_it_comes_to_the_verdict_that_its_file_names(lab: Supervisor, name: str) -> None:
    for seed in SEEDS:
        report = lab.chaos.run(name, seed=seed, scene=True)
        assert report.verdict.kind == report.experiment.chaos.expected, f"seed {seed}: {told(report)}"
        assert report.lasted_s <= LONGEST_S
