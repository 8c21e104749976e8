"""A scenario is bounded, and a typo in one is found."""

from __future__ import annotations

from typing import Any

import pytest

from actors.breaker.scenario import Phase, Scenario
from actors.runtime.errors import ConfigError


def test_it_is_read_from_plain_data() -> None:
    data = {"phases": [{"duration_s": 5, "calls_per_s": 10}, {"duration_s": 1, "calls_per_s": 0}], "processes": 2}
    scenario = Scenario.parse(data, source="here.yaml")
    assert (scenario.duration_s, scenario.processes, scenario.phases[0].failure_rate) == (6.0, 2, 0.0)


@pytest.mark.parametrize(
    ("phase", "problem"),
    [
        ({"duration_s": 0}, "duration_s"),
        ({"failure_rate": 1.1}, "failure_rate"),
        ({"calls_per_s": 1e6}, "10,000,000 calls are more than the 1,000,000 that are simulated"),
        ({"latency": 1}, "latency: unknown key"),
    ],
)
def test_what_cannot_be_run_is_refused(phase: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        Scenario.parse({"phases": [{"duration_s": 10, "calls_per_s": 1} | phase]}, source="here.yaml")


def test_without_a_phase_there_is_nothing_to_run() -> None:
    with pytest.raises(ConfigError, match="phases"):
        Scenario(phases=())
    assert Scenario(phases=(Phase(duration_s=1, calls_per_s=1),)).seed == 0
