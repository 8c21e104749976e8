"""Results in a row decide, and a place that is not reached says nothing."""

from __future__ import annotations

import pytest

from actors.health.answers import Outcome
from actors.health.probe import Probe, ProbeStanding
from tests.unit.health.scene import probe


def _after(*outcomes: Outcome, failures: int = 2, successes: int = 1) -> ProbeStanding:
    made = Probe(probe(failures=failures, successes=successes), place="")
    for outcome in outcomes:
        made.count(outcome)
    return made.standing


@pytest.mark.parametrize(
    ("outcomes", "standing"),
    [
        ((), "pending"),
        (("failed",), "pending"),
        (("failed", "nonsense"), "failing"),
        (("failed", "passed", "failed"), "passing"),
        (("passed", "timed_out", "failed"), "failing"),
        (("passed", "unreachable"), "passing"),
        (("passed", "unreachable", "unreachable"), "unseen"),
        (("failed", "failed", "unreachable", "unreachable"), "failing"),
        (("unreachable", "unreachable", "failed", "failed"), "failing"),
        (("unreachable", "unreachable", "passed"), "passing"),
        (("passed", "unreachable", "failed", "unreachable"), "passing"),
    ],
)
def test_results_in_a_row(outcomes: tuple[Outcome, ...], standing: ProbeStanding) -> None:
    assert _after(*outcomes) == standing


def test_successes_in_a_row_are_needed_and_a_break_begins_anew() -> None:
    assert _after("passed", successes=2) == "pending"
    assert _after("passed", "unreachable", "passed", successes=2) == "pending"
    assert _after("passed", "passed", successes=2) == "passing"
    assert _after("passed", "passed", "failed", "failed", "passed", successes=2) == "failing"


def test_it_comes_nearer_to_failing_and_a_reset_forgets() -> None:
    made = Probe(probe(failures=4), place="")
    made.count("failed", 30.0)
    assert (made.nearness, made.score) == (0.25, 30.0)
    made.begin(7)
    assert (made.flight, made.hangs, made.shaded) == (7, False, False)
    made.reset()
    assert (made.nearness, made.score, made.standing) == (0.0, None, "pending")


def test_of_checks_that_pass_one_after_another_one_is_logged_now_and_then() -> None:
    known = Probe(probe(), place="")
    told = [known.is_news("passed", float(now), passed_s=10.0) for now in range(21)]
    assert [now for now, news in enumerate(told) if news] == [0, 10, 20]
    assert known.is_news("failed", 21.0, passed_s=10.0)
    assert known.is_news("failed", 22.0, passed_s=10.0)
    assert known.is_news("passed", 23.0, passed_s=10.0), "it is well again"
    assert known.is_news("passed", 23.0, passed_s=0.0), "all are wanted"
