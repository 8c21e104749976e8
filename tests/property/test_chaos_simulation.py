"""Thousands of runs on a host where everything goes wrong: no fault outlives its lease, and successors know all."""

from __future__ import annotations

import re
from random import Random
from typing import Any

import pytest

from experiments.bench.chaos_simulation import ChaosSimulation, explore, failure_of
from experiments.bench.choices import Choices, shrink
from experiments.ledger import messages as m
from experiments.ledger.machine import RunMachine

SEEDS = 300


def test_many_runs() -> None:
    lasted_s = sum(explore(seed) for seed in range(SEEDS))
    assert lasted_s > SEEDS


def test_an_injection_that_lands_after_its_undo_was_once_unknown_to_successors() -> None:
    """Found by seed 543: undone while the injection was under way, written down so, landed, and the runner killed."""
    line = [0] * 59
    for place, number in {0: 2, 3: 799, 7: 1, 13: 627, 37: 614, 44: 98, 49: 601, 58: 99}.items():
        line[place] = number
    assert failure_of(line) == ""


def test_what_may_happen_does() -> None:
    """A simulation in which nothing goes wrong shows nothing."""
    runs = [ChaosSimulation.seeded(seed) for seed in range(200)]
    for run in runs:
        run.run()
    assert {run.verdict for run in runs} == {"held", "aborted", "not_started"}
    steps = {(entry.step, str(entry.data.get("by", ""))) for run in runs for entry in run.entries}
    assert {("undone", by) for by in ("runner", "watchdog", "successor", "never armed")} <= steps


def test_without_mishaps_it_holds() -> None:
    assert failure_of([]) == ""
    calm = ChaosSimulation(Choices(given=[]))
    calm.run()
    assert calm.verdict == "held"


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_hundred_thousand_runs() -> None:
    for seed in range(100_000):
        explore(seed)


def broken_arming(self: Any, fault: Any) -> None:
    """A machine that forgets to write down that it arms."""
    fault.status = "arming"
    fault.ends_at = self._now + fault.order.lease_s
    self._out.append(m.ArmUndo(order=fault.order))


def test_a_failure_is_found_made_smaller_and_replayed_from_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RunMachine, "_arm", broken_arming)
    seed = next(seed for seed in range(2000) if failure_of_seed(seed))
    with pytest.raises(AssertionError) as found:
        explore(seed)
    text = str(found.value)
    assert "no successor would know" in text
    line = text.rpartition(" ")[2]
    assert re.fullmatch(r"[\d,]+", line)
    assert len(line.split(",")) <= len(made(seed))
    with pytest.raises(AssertionError, match="no successor would know"):
        ChaosSimulation.replayed(line).run()
    monkeypatch.undo()
    ChaosSimulation.replayed(line).run()


def made(seed: int) -> list[int]:
    simulation = ChaosSimulation.seeded(seed)
    try:
        simulation.run()
    except AssertionError:
        pass
    return simulation.choices.made


def failure_of_seed(seed: int) -> str:
    return failure_of(made(seed))


def test_shrinking_leaves_only_what_matters() -> None:
    rng = Random(1)
    numbers = [rng.randrange(100) for _ in range(200)]
    numbers[77] = 99
    smallest = shrink(numbers, lambda each: 99 in each)
    assert [number for number in smallest if number] == [99]
    assert len(smallest) == 1


def test_replaying_makes_the_same_choices() -> None:
    first = ChaosSimulation.seeded(11)
    first.run()
    again = ChaosSimulation(Choices(given=first.choices.made))
    again.run()
    assert (again.choices.made, again.entries, again.now) == (first.choices.made, first.entries, first.now)
