"""A report's numbers are those measured, or None."""

from __future__ import annotations

from dataclasses import replace

import pytest

from experiments.judging.facts import Observations
from tests.unit.report.scene import report


def test_numbers_of_a_run() -> None:
    numbers = report().numbers()
    assert numbers["time to recover, s"] == 5.0
    assert numbers["time to detect, s"] == pytest.approx(0.02)
    assert (numbers["tasks attempted"], numbers["tasks failed"], numbers["tasks lost"]) == (700, 5, 0)
    assert (numbers["p50 under the fault, s"] or 0) > (numbers["p50 without the fault, s"] or 1)


def test_effects_that_were_asked_for_again_are_always_told() -> None:
    again = replace(report().seen, asked_again=3)
    assert replace(report(), seen=again).numbers()["effects asked for again"] == 3


def test_what_was_not_measured_is_none() -> None:
    empty = replace(report(), seen=Observations())
    assert {name for name, value in empty.numbers().items() if value is not None} == {"score"}
    assert empty.faults_on() == ()


def test_a_fault_that_was_never_undone_is_on_to_the_end() -> None:
    whole = report()
    left = replace(whole.seen.faults[0], undone_at_s=None)
    (span,) = replace(whole, seen=replace(whole.seen, faults=(left,))).faults_on()
    assert (span.begin_s, span.end_s) == (6.5, whole.lasted_s)
