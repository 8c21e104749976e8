"""The waits between restarts have bounds."""

from __future__ import annotations

from supervisor.specs import BackoffSettings
from tests.unit.specs.scene import problems


def test_backoff_has_bounds() -> None:
    assert BackoffSettings(min_s=1, max_s=1).max_s == 1
    found = problems(BackoffSettings, {"min_s": -1})
    assert [problem.partition(":")[0] for problem in found] == ["min_s"]
    found = problems(BackoffSettings, {"min_s": 2, "max_s": 1})
    assert [problem.partition(":")[0] for problem in found] == ["max_s"]
