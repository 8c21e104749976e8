"""Silence makes a process suspect; only the kernel's evidence makes it hung."""

from __future__ import annotations

import pytest

from actors.health.detector import Verdict, judge
from actors.runtime.process import ProcessEvidence


def _seen(state: str, ticks: int = 10, at: float = 0.0) -> ProcessEvidence:
    return ProcessEvidence(state=state, cpu_ticks=ticks, seen_at=at)


@pytest.mark.parametrize("state", ["", "Z", "X"])
def test_a_process_that_has_ended_is_gone_at_the_first_look(state: str) -> None:
    assert judge(None, _seen(state), apart_s=1.0) == judge(_seen("S"), _seen(state, 99), apart_s=1.0) == "gone"


@pytest.mark.parametrize("state", ["T", "t"])
def test_a_stopped_process_is_hung_at_the_first_look(state: str) -> None:
    assert judge(None, _seen(state), apart_s=1.0) == "hung"


@pytest.mark.parametrize("state", ["S", "D", "R"])
def test_one_look_at_a_living_process_says_nothing(state: str) -> None:
    assert judge(None, _seen(state), apart_s=1.0) == "unclear"


@pytest.mark.parametrize(
    ("earlier", "latest", "verdict"),
    [
        (("S", 10), ("S", 10), "hung"),
        (("D", 10), ("S", 10), "hung"),
        (("S", 10), ("D", 10), "hung"),
        (("S", 10), ("S", 11), "busy"),
        (("R", 10), ("R", 11), "busy"),
        (("R", 10), ("R", 10), "unclear"),
        (("S", 10), ("R", 10), "unclear"),
        (("R", 10), ("S", 10), "unclear"),
    ],
)
def test_hung_is_who_sleeps_through_two_looks_without_progress(
    earlier: tuple[str, int], latest: tuple[str, int], verdict: Verdict
) -> None:
    """Whoever uses the processor is left to its task's limit; whoever was about to run is looked at again."""
    assert judge(_seen(*earlier), _seen(*latest, at=1.0), apart_s=1.0) == verdict


def test_two_looks_that_are_too_close_together_say_nothing_of_the_time_between() -> None:
    assert judge(_seen("S"), _seen("S", at=0.9), apart_s=1.0) == "unclear"
    assert judge(_seen("S"), _seen("S", 11, at=0.9), apart_s=1.0) == "busy"
