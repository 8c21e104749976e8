"""What must hold whatever is injected is found broken only when it is."""

from __future__ import annotations

from itertools import pairwise

import pytest

from experiments.judging.invariants import (
    BreakerStep,
    Intensity,
    Restart,
    illegal_steps,
    outside,
    too_many_restarts,
)


def steps(*told: tuple[str, str, int]) -> list[BreakerStep]:
    return [
        BreakerStep(event_id=f"h/{number}", breaker="b", before=before, after=after, generation=generation)
        for number, (before, after, generation) in enumerate(told)
    ]


def test_a_breaker_may_open_probe_ramp_and_close_and_be_overridden() -> None:
    path = (
        "closed open half_open open half_open ramping closed disabled closed open closed forced_open half_open".split()
    )
    told = [(before, after, number) for number, (before, after) in enumerate(pairwise(path))]
    assert illegal_steps(steps(*told)) == ()


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ([("closed", "half_open", 1)], "went from closed to half_open (h/0)"),
        ([("open", "open", 1)], "went from open to open"),
        ([("closed", "open", 1), ("half_open", "closed", 2)], "left half_open (h/1) while it was open (h/0)"),
        ([("closed", "open", 2), ("open", "half_open", 2)], "changed in generation 2 (h/1) after generation 2"),
    ],
)
def test_what_it_may_not(told: list[tuple[str, str, int]], words: str) -> None:
    (found,) = illegal_steps(steps(*told))
    assert words in found


def test_steps_that_the_log_lost_are_not_held_against_the_next() -> None:
    assert illegal_steps(steps(("closed", "open", 1), ("half_open", "closed", 3))) == ()


def test_restarts_are_counted_in_their_window() -> None:
    allowed = {"g": Intensity(restarts=2, period_s=5.0)}
    slow = [Restart(event_id=f"r/{n}", group="g", at_s=n * 3.0) for n in range(9)]
    fast = [Restart(event_id=f"r/{n}", group="g", at_s=n * 1.0) for n in range(4)]
    assert too_many_restarts(slow, allowed) == ()
    (found,) = too_many_restarts(reversed(fast), allowed)
    assert found == "group g was restarted 3 times within 5 s, and its intensity is 2 (r/2)"
    assert too_many_restarts(fast, {}) == ()


def test_who_was_not_selected_lives_the_same_life() -> None:
    before = {"a": 1, "b": 1, "c": 1}
    assert outside(["a"], before, {"a": 2, "b": 1, "c": 1}) == ()
    assert outside(["a"], before, {"a": 2, "b": 2}) == (
        "b was life 1 before and is 2 now, and was not selected",
        "c was life 1 before and is gone now, and was not selected",
    )
