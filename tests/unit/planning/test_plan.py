"""A plan is the same in every byte, or another plan."""

from __future__ import annotations

import json
from dataclasses import replace

from experiments.planning.plan import Hit, Plan, PlannedFault

HIT = Hit(name="worker/w0", kind="worker", node="n0", incarnation=2)
FAULT = PlannedFault(place=0, fault="crash", hits=(HIT,), after_s=0.0, lease_s=5.0, how={"times": 1, "how": "exit"})
PLAN = Plan(experiment="e", seed=1, safe_mode=False, phases=("baseline", "fault"), faults=(FAULT,))


def test_its_bytes_are_json_in_one_way_only() -> None:
    other = replace(PLAN, faults=(replace(FAULT, how={"how": "exit", "times": 1}),))
    assert other.as_bytes() == PLAN.as_bytes()
    assert json.loads(PLAN.as_bytes())["faults"][0]["hits"][0]["name"] == "worker/w0"
    assert replace(PLAN, seed=2).digest() != PLAN.digest()
    assert PLAN.targets == {"worker/w0"}
