"""A plan hits whom it selects, is the same for the same seed, and is refused with every reason."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.runtime.errors import ConfigError
from experiments.errors import HaltedError, PlanRefusedError, SafeModeError
from experiments.model.experiment import Experiment
from experiments.planning.inventory import Active
from experiments.planning.planning import make_plan, require
from tests.unit.planning.scene import experiment, inventory

WORKER = {"target": {"kind": "worker"}}


def test_a_plan_tells_whom_when_and_for_how_long() -> None:
    plan = require(make_plan(experiment({**WORKER, "after_s": 1, "lease_s": 3}, seed=4, lease_s=9), inventory()))
    (fault,) = plan.faults
    assert (fault.fault, fault.after_s, fault.lease_s, fault.how["how"]) == ("crash", 1.0, 3.0, "sigkill")
    assert [hit.incarnation for hit in fault.hits] == [1]
    assert (plan.phases, plan.seed, plan.safe_mode) == (("baseline", "fault"), 4, False)
    assert make_plan(experiment(WORKER, lease_s=9), inventory()).faults[0].lease_s == 9


@given(st.integers(0, 2**62), st.permutations(inventory().targets))
def test_the_same_seed_and_inventory_give_the_same_bytes(seed: int, order: Any) -> None:
    asked = experiment(WORKER, WORKER, seed=seed, interleaving={"rounds": 5})
    plan = make_plan(asked, inventory(targets=tuple(order)))
    assert plan.as_bytes() == make_plan(asked, inventory()).as_bytes()
    assert plan.targets <= {target.name for target in inventory().running("worker")}
    assert plan.phases[0] == "baseline"
    assert plan.phases.count("fault") == 5


def test_rounds_come_in_both_orders() -> None:
    orders = {make_plan(experiment(WORKER, interleaving={"rounds": 2}), inventory(), seed=n).phases for n in range(20)}
    assert len(orders) == 2


def test_what_is_protected_is_never_drawn() -> None:
    for seed in range(20):
        safe = {"protected": ["w0", "worker/w1"]}
        plan = make_plan(experiment(WORKER, seed=seed, safety=safe), inventory(protected=("w2",)))
        assert plan.targets <= {"worker/w3", "worker/w4", "worker/w5"}


def test_every_reason_is_told_and_decides_how_it_is_refused() -> None:
    wrong = experiment({"target": {"kind": "breaker"}}, {"target": {"kind": "node", "name": "n0"}}, lease_s=70)
    plan = make_plan(wrong, inventory())
    assert [refusal.rule for refusal in plan.refusals] == ["selection", "ephemeral", "blast_radius", "lease", "lease"]
    with pytest.raises(PlanRefusedError) as refused:
        require(plan)
    assert refused.value.problems[0].startswith("method[0]: the selector (breaker, 1 of them) matches nothing")
    with pytest.raises(SafeModeError, match="did not opt in"):
        require(make_plan(experiment(WORKER), inventory(embedded=False)))
    with pytest.raises(SafeModeError, match=r"the bounds of experiment .* forbid it: .*blast_radius"):
        require(make_plan(experiment({"target": {"kind": "worker", "count": 2}}), inventory()))
    with pytest.raises(SafeModeError, match="only what is protected"):
        require(make_plan(experiment(WORKER, safety={"protected": ["*"]}), inventory()))
    with pytest.raises(HaltedError) as halted:
        require(make_plan(experiment(WORKER), inventory(halted="ann: enough")))
    assert (halted.value.who, halted.value.reason) == ("ann", "enough")
    with pytest.raises(PlanRefusedError, match="injects nothing"):
        require(make_plan(experiment(), inventory()))


def test_overlapping_targets_of_running_experiments_are_refused() -> None:
    plan = make_plan(experiment(WORKER, seed=3), inventory())
    busy = inventory(active=(Active(run="r1", ground=plan.ground),), limit=2)
    with pytest.raises(PlanRefusedError, match="are hit by r1 already"):
        require(make_plan(experiment(WORKER, seed=3), busy))


def steps(*, method: list[dict[str, Any]], rollbacks: list[dict[str, Any]]) -> Experiment:
    made = {**experiment(WORKER).model_dump(), "rollbacks": rollbacks}
    return Experiment.parse({**made, "method": [*made["method"], *method]}, source="t")


def test_steps_that_nobody_here_carries_out_are_refused_and_not_passed_over() -> None:
    own = {"type": "python", "module": "experiments.driver", "func": "clear"}
    other = {"type": "python", "module": "chaosaws.ec2.actions", "func": "stop_instance"}
    undo = {"type": "action", "name": "end every fault", "provider": own}
    stop = {"type": "action", "name": "stop a machine", "provider": other}
    assert make_plan(steps(method=[], rollbacks=[undo]), inventory()).refusals == ()
    plan = make_plan(steps(method=[stop, undo], rollbacks=[stop]), inventory())
    assert [(each.rule, each.words.partition(" ")[0]) for each in plan.refusals] == [
        ("step", "method[1]:"),
        ("step", "method[2]:"),
        ("step", "rollbacks[0]:"),
    ]
    with pytest.raises(PlanRefusedError, match="Chaos Toolkit's `chaos run` carries it out"):
        require(plan)


def test_pauses_around_steps_are_made() -> None:
    whole = experiment(WORKER, {**WORKER, "after_s": 1}).model_dump()
    whole["method"][0]["pauses"] = {"before": 2.0, "after": 3.0}
    whole["method"][1]["pauses"] = {"before": 4.0}
    plan = make_plan(Experiment.parse(whole, source="t"), inventory())
    assert [fault.after_s for fault in plan.faults] == [2.0, 10.0]


@pytest.mark.parametrize("seed", [-1, 2**63, True, 1.0, "1"])
def test_what_is_no_seed_is_refused(seed: Any) -> None:
    with pytest.raises(ConfigError, match=r"seed: .* is no whole number from 0 to 2\*\*63 - 1"):
        make_plan(experiment(WORKER), inventory(), seed=seed)
    assert make_plan(experiment(WORKER), inventory(), seed=2**63 - 1).seed == 2**63 - 1
