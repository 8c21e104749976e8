"""Two runs beside each other: what moved, what is gone."""

from __future__ import annotations

from dataclasses import replace

from experiments.report.compare import compare_runs
from tests.unit.report.scene import mended, report


def test_a_mended_finding_is_gone() -> None:
    found = compare_runs(report(), mended())
    assert found.verdicts == ("deviated", "held")
    assert found.gone == ("workers exhausted: policy attempts", "slow recovery: pool/default standbys")
    assert (found.new, found.remaining, found.comparable, found.is_worse) == ((), (), "", False)
    changes = {line.name: line.change for line in found.lines}
    assert (changes["time to recover, s"], changes["score"], changes["tasks lost"]) == ("better", "better", "same")


def test_the_other_way_round_is_worse() -> None:
    found = compare_runs(mended(), report())
    assert found.is_worse
    assert len(found.new) == 2
    assert {line.change for line in found.lines} == {"worse", "same"}


def test_what_was_not_measured_cannot_be_compared() -> None:
    unscored = replace(report(), verdict=replace(report().verdict, score=None))
    changes = {line.name: line.change for line in compare_runs(unscored, report()).lines}
    assert changes["score"] == "unknown"
    same = {line.name: line.change for line in compare_runs(unscored, unscored).lines}
    assert set(same.values()) == {"same"}


def test_runs_of_different_experiments_say_so() -> None:
    other = report().experiment.model_copy(update={"title": "another"})
    assert "are not one experiment" in compare_runs(report(), replace(report(), experiment=other)).comparable
