"""Ray's processes are found by what they were started with."""

from __future__ import annotations

import subprocess
from collections.abc import Generator
from contextlib import contextmanager

from experiments.hands.rays import gcs_here, raylet_here
from tests.unit.faults.scene import until


@contextmanager
def called(program: str, word: str) -> Generator[int]:
    """A process that looks like one of Ray's."""
    with subprocess.Popen([program, "-c", "read line", word], executable="/bin/sh", stdin=subprocess.PIPE) as running:
        yield running.pid
        running.kill()


def test_a_raylet_is_found_by_its_nodes_id_and_a_gcs_by_its_session() -> None:
    with called("/ray/raylet/raylet", "--node_id=ab12") as raylet, called("/ray/gcs/gcs_server", "--dir=/s_7") as gcs:
        until(lambda: raylet_here("ab12") is not None and gcs_here("s_7") is not None)
        for found, pid in ((raylet_here("ab12"), raylet), (gcs_here("s_7"), gcs)):
            assert found is not None
            assert (found.pid, found.started_ticks > 0) == (pid, True)
        assert raylet_here("ab1") is None, "the beginning of an id is another node's"
        assert gcs_here("ab12") is None
    assert raylet_here("ab12") is None
