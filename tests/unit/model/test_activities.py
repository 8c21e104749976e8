"""A step names a function that there is, with arguments that it takes."""

from __future__ import annotations

from typing import Any

import pytest

from experiments.model.activities import Activity
from experiments.model.tolerances import Equals


def step(func: str, kind: str = "probe", module: str = "experiments.driver", **changed: Any) -> Activity:
    provider = {"type": "python", "module": module, "func": func, "arguments": changed.pop("arguments", {})}
    return Activity.parse({"type": kind, "name": "s", "provider": provider, **changed}, source="t")


def test_a_good_step_has_no_problems() -> None:
    assert step("health_score", tolerance=5).problems() == ()
    assert step("health_score", tolerance=5).judge_by() == Equals(value=5)
    assert step("x", module="mine.own", tolerance=5).problems() == ()
    assert step("clear", "action").problems() == ()
    crash = step("inject", "action", arguments={"fault": "crash", "target": {"kind": "worker"}})
    found = crash.fault()
    assert found is not None
    assert (found.fault, crash.problems(), step("clear", "action").fault()) == ("crash", (), None)


@pytest.mark.parametrize(
    ("activity", "path"),
    [
        (step("inject"), "provider.func"),
        (step("health_score", "action"), "provider.func"),
        (step("health_score", arguments={"x": 1}), "provider.arguments.x"),
        (step("clear", "action", arguments={"x": 1}), "provider.arguments.x"),
        (step("inject", "action", arguments={"fault": "x"}), "provider.arguments.fault"),
        (step("health_score", tolerance="closed"), "tolerance"),
        (step("health_score", tolerance=True), "tolerance"),
        (step("breaker_state", arguments={"name": "b"}, tolerance=True), "tolerance"),
        (step("health_score", tolerance=[2, 1]), "tolerance"),
        (step("health_score", tolerance={"type": "regex", "pattern": "("}), "tolerance.pattern"),
        (step("x", module="mine.own", tolerance={"type": "y"}), "tolerance.type"),
    ],
)
def test_a_wrong_one_is_told_with_its_path(activity: Activity, path: str) -> None:
    (problem,) = activity.problems()
    assert problem.partition(": ")[0] == path
