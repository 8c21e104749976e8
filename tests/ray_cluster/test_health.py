"""A monitor that cannot reach nodes takes nothing on them for sick, and restarts nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ray_cluster import infirmary
from tests.ray_cluster.apart import Stage

pytestmark = pytest.mark.timeout(190)


@pytest.mark.soak
def test_what_cannot_be_reached_is_unknown_and_nothing_is_restarted(three_nodes: Stage, tmp_path: Path):
    seen = three_nodes.play(infirmary.nodes_out_of_reach, log=str(tmp_path))
    assert seen["stopped"] == 2
    assert seen["blind"] == "2 of 3 places cannot be reached"
    assert seen["outcomes"] == ["unreachable"]
    assert seen["counted"] == 1, "the child served all the while"
    assert seen["sick"] == []
    assert seen["same"], "and was not replaced"
    assert seen["restarts"] == 0
