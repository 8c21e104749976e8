"""Each strategy goes on as drawn, ends, and takes no step with an effect twice."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.recovery.course import AGAIN_MAX, Action, Outcome, Step, Taken, next_step
from actors.recovery.retry import Fallback, Retry
from actors.recovery.strategies import Escalate, Isolate, Restart, Restore, Strategy, UserStrategy

RNG = Random(1)
COURSE: list[tuple[Action, Outcome]] = [("load", "succeeded"), ("verify", "succeeded"), ("cut_over", "unknown")]


def _run(strategy: Strategy, *outcomes: Outcome) -> tuple[list[str], Any]:
    """The actions taken with these outcomes, and how it ends; None if it goes on."""
    taken: list[Taken] = []
    for outcome in outcomes:
        step = next_step(strategy, taken, rng=RNG)
        assert isinstance(step, Step), (step, taken)
        taken.append(Taken(step=step, outcome=outcome))
    following = next_step(strategy, taken, rng=RNG)
    return [each.step.action for each in taken], None if isinstance(following, Step) else following


@pytest.mark.parametrize(
    ("strategy", "outcomes", "actions", "end"),
    [
        (Retry(attempts=1), (), [], "failed"),
        (Retry(attempts=4), ("failed", "succeeded"), ["call", "call"], "succeeded"),
        (Retry(attempts=4), ("failed", "failed"), ["call", "call"], None),
        (Retry(attempts=3), ("failed", "failed"), ["call", "call"], "failed"),
        (Retry(attempts=9), ("refused",), ["call"], "failed"),
        (Retry(attempts=9), ("unknown",), ["call"], None),
        (Retry(attempts=9, unknown="never"), ("unknown",), ["call"], "failed"),
        (Fallback(len), ("failed",), ["provider"], "failed"),
        (Fallback(len, others=(max,)), ("refused", "succeeded"), ["provider", "provider"], "succeeded"),
        (Fallback(len, stale_s=5), ("unknown", "succeeded"), ["provider", "stale"], "succeeded"),
        (Fallback(len, stale_s=5), ("failed", "failed"), ["provider", "stale"], "failed"),
        (Restore(), ("succeeded",) * 3, ["load", "verify", "cut_over"], "succeeded"),
        (Restore(), ("failed",), ["load"], "failed"),
        (Restore(), ("succeeded", "failed"), ["load", "verify"], "failed"),
        (Restore(), ("succeeded", "succeeded", "unknown"), ["load", "verify", "cut_over"], None),
        (
            Restore(),
            ("succeeded", "succeeded", "failed", "succeeded"),
            ["load", "verify", "cut_over", "roll_back"],
            "failed",
        ),
        (Escalate(repeats=2), ("succeeded",), ["notify"], None),
        (Escalate(repeats=2), ("succeeded", "succeeded"), ["notify", "notify"], "failed"),
        (Escalate(repeats=2), ("acknowledged",), ["notify"], "acknowledged"),
        (Restart(), ("succeeded",), ["restart"], "succeeded"),
        (Restart(), ("unknown",), ["restart"], "failed"),
        (Isolate(), ("unknown", "succeeded"), ["isolate", "isolate"], "succeeded"),
        (UserStrategy(name="x"), ("unknown",), ["user"], "failed"),
        (UserStrategy(name="x", repeatable=True), ("unknown",), ["user"], None),
    ],
)
def test_courses(strategy: Strategy, outcomes: tuple[Outcome, ...], actions: list[str], end: str | None) -> None:
    assert _run(strategy, *outcomes) == (actions, end)


def test_a_cut_over_that_failed_is_rolled_back() -> None:
    taken = [
        Taken(step=Step(action=action, number=number, timeout_s=1.0), outcome=outcome)
        for number, (action, outcome) in enumerate(COURSE)
    ]
    following = next_step(Restore(), taken, rng=RNG)
    assert isinstance(following, Step)
    assert (following.action, following.repeatable) == ("roll_back", False)


def test_waits_follow_the_backoff_and_each_step_has_its_bound() -> None:
    retry = Retry(attempts=9, backoff="exponential", min_s=1.0, max_s=4.0, timeout_s=7.0)
    taken: list[Taken] = []
    for _ in range(4):
        step = next_step(retry, taken, rng=RNG)
        assert isinstance(step, Step)
        taken.append(Taken(step=step, outcome="failed"))
    assert [each.step.wait_s for each in taken] == [1.0, 2.0, 4.0, 4.0]
    assert {each.step.timeout_s for each in taken} == {7.0}
    first = next_step(Escalate(repeat_s=60), (), rng=RNG)
    assert isinstance(first, Step)
    second = next_step(Escalate(repeat_s=60), (Taken(step=first, outcome="succeeded"),), rng=RNG)
    assert isinstance(second, Step)
    assert (first.wait_s, second.wait_s) == (0.0, 60.0)


def test_a_step_whose_end_stays_unknown_is_given_up() -> None:
    assert _run(Isolate(), *(("unknown",) * AGAIN_MAX)) == (["isolate"] * AGAIN_MAX, "failed")


STRATEGIES = st.sampled_from(
    [
        Retry(attempts=5),
        Retry(unknown="never"),
        Fallback(len, stale_s=5),
        Restore(),
        Escalate(),
        Restart(),
        Isolate(),
        UserStrategy(name="x"),
        UserStrategy(name="x", repeatable=True),
    ]
)
OUTCOMES = st.sampled_from(["succeeded", "failed", "refused", "unknown", "acknowledged"])


@given(strategy=STRATEGIES, outcomes=st.lists(OUTCOMES, min_size=60, max_size=60))
def test_every_course_ends_and_takes_no_step_with_an_effect_twice(strategy: Strategy, outcomes: list[Outcome]) -> None:
    taken: list[Taken] = []
    for outcome in outcomes:
        step = next_step(strategy, taken, rng=RNG)
        if not isinstance(step, Step):
            return
        done = [each.step.number for each in taken]
        assert step.repeatable or step.number not in done
        taken.append(Taken(step=step, outcome=outcome))
    pytest.fail(f"{strategy} did not end")
