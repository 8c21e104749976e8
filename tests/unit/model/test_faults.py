"""A fault has a kind, a target that it can hit, and a lease with an end."""

from __future__ import annotations

from typing import Any

import pytest

from actors.runtime.errors import ConfigError
from experiments.model.faults import FAULTS, LEASE_S_MAX, parse_fault

LEAST: dict[str, dict[str, Any]] = {
    "latency": {"delay_s": 0.1},
    "exhaustion": {"amount": 0.5},
}


def problems(**data: Any) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        parse_fault(data, source="t")
    return caught.value.problems


@pytest.mark.parametrize("kind", FAULTS)
def test_each_kind_is_read(kind: str) -> None:
    more = {"resource": "cpu"} if kind == "exhaustion" else {}
    fault = parse_fault({"fault": kind, "target": {"kind": "worker"}, **LEAST.get(kind, {}), **more}, source="t")
    assert (fault.fault, fault.target.kind) == (kind, "worker")


def test_an_unknown_fault_is_named_with_those_there_are() -> None:
    assert problems(fault="crsh") == (
        "fault: 'crsh' is not a fault; there are latency, error, unavailable, crash, hang, exhaustion",
    )
    assert problems(target={})[0].startswith("fault: is missing")


@pytest.mark.parametrize("lease_s", [0, -1, LEASE_S_MAX + 1, float("inf"), 7200])
def test_a_lease_of_nothing_or_of_hours_is_refused(lease_s: float) -> None:
    (problem,) = problems(fault="crash", target={"kind": "worker"}, lease_s=lease_s)
    assert problem.startswith("lease_s: ")


def test_a_clock_is_skewed_and_only_a_clock() -> None:
    assert "error (raises) cannot hit 'clock'" in problems(fault="error", target={"kind": "clock"})[0]
    assert problems(fault="error", target={"kind": "worker"}, skew_s=3)[0].endswith("cannot hit 'worker', only clock")


def test_everything_wrong_is_told_at_once() -> None:
    said = problems(fault="latency", target={"kind": "nobody", "count": 0}, share=2, sharee=1)
    assert [each.partition(":")[0] for each in said] == ["target.kind", "target.count", "delay_s", "share", "sharee"]
