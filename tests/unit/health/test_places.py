"""Checks in another process: answered in time, one of a name at a time, and a place that hangs is bounded."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from actors.health.packing import pack_probe
from actors.health.places import CheckPlace, late
from actors.health.probes.place import here


class WaitsFor:
    """Until a file is there."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __call__(self) -> tuple[bool, str]:
        while not Path(self.path).exists():
            threading.Event().wait(0.01)
        return True, here().supervisor


def test_a_check_that_hangs_is_not_run_a_second_time(tmp_path: Path) -> None:
    place, data = CheckPlace(threads_max=2), pack_probe(WaitsFor(tmp_path / "go"))
    first = place.run("s", "db", data, 0.05)
    with pytest.raises(TimeoutError):
        first.result(0.05)
    assert late(0.05)[0].outcome == "timed_out"
    answer, _ = place.run("s", "db", data, 0.05).result(0)
    assert (answer.outcome, answer.detail) == ("timed_out", "the check before hangs still")
    other, _ = place.run("s", "other", pack_probe(bool), 20.0).result(20)
    assert other.outcome == "failed"
    (tmp_path / "go").touch()
    assert first.result(20)[0].detail == "s"
    assert place.run("s", "db", data, 20.0).result(20)[0].outcome == "passed"
