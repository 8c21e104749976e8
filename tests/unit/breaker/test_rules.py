"""Which rule a window breaks, how near it is, and how long to stay open."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.breaker.outcome import FAILED, SLOW, SUCCESS
from actors.breaker.rules import Trip, answered_wait_s, nearness, open_wait_s, tripped
from actors.breaker.settings import BreakerSettings
from actors.breaker.window import Window, make_window
from tests.unit.breaker.scene import Steady


def _window(settings: BreakerSettings, *codes: int) -> Window:
    window = make_window(settings)
    window.add(bytes(codes), 0.0)
    return window


def _of(*codes: int, minimum: int | None = None, **fields: Any) -> str | None:
    given: dict[str, Any] = {"window_calls": 10, "minimum_calls": 4}
    settings = BreakerSettings(**(given | fields))
    trip = tripped(_window(settings, *codes), settings, minimum=minimum)
    return None if trip is None else trip.rule


def test_a_rate_is_judged_on_the_minimum_of_calls_and_not_before() -> None:
    assert _of(FAILED, FAILED, FAILED) is None
    assert _of(FAILED, FAILED, SUCCESS, SUCCESS) == "failure_rate"
    assert _of(FAILED, SUCCESS, SUCCESS, SUCCESS) is None
    assert _of(FAILED, minimum=1) == "failure_rate"
    assert _of(minimum=0) is None


def test_a_rate_is_reached_exactly_despite_floats() -> None:
    assert _of(*[FAILED] * 3, *[SUCCESS] * 7, failure_rate=0.3) == "failure_rate"
    assert _of(*[FAILED], *[SUCCESS] * 9, failure_rate=0.1) == "failure_rate"


def test_slow_calls_open_by_their_own_rate_also_when_they_succeed() -> None:
    slow: dict[str, Any] = {"slow_call_rate": 0.75, "slow_call_s": 1.0}
    assert _of(SLOW, SLOW, SLOW, SUCCESS, **slow) == "slow_call_rate"
    assert _of(SLOW, SLOW, SUCCESS, SUCCESS, **slow) is None
    assert _of(SLOW, SLOW, SLOW, SLOW) is None
    assert _of(FAILED, FAILED, FAILED, FAILED, failure_rate=None, **slow) is None


def test_failures_in_a_row_need_no_minimum() -> None:
    assert _of(FAILED, FAILED, consecutive_failures=2) == "consecutive_failures"
    assert _of(FAILED, SUCCESS, FAILED, consecutive_failures=2) is None
    assert _of(FAILED, FAILED, SUCCESS, consecutive_failures=2) == "consecutive_failures"


def test_a_trip_says_what_was_broken_in_numbers() -> None:
    row = Trip(rule="consecutive_failures", value=5, threshold=5, calls=7)
    failed = Trip(rule="failure_rate", value=0.5, threshold=0.4, calls=20)
    slow = Trip(rule="slow_call_rate", value=0.5, threshold=0.4, calls=20)
    assert [str(trip) for trip in (row, failed, slow)] == [
        "5 failures in a row (consecutive_failures=5)",
        "50% of 20 calls failed (failure_rate=0.4)",
        "50% of 20 calls were slow (slow_call_rate=0.4)",
    ]


def test_nearness_is_that_of_the_nearest_rule_and_grows_with_certainty() -> None:
    settings = BreakerSettings(
        window_calls=10, minimum_calls=4, slow_call_rate=1.0, slow_call_s=1.0, consecutive_failures=10
    )
    assert nearness(_window(settings), settings) == 0.0
    assert nearness(_window(settings, FAILED), settings) == 0.25
    assert nearness(_window(settings, FAILED), settings, minimum=1) == 1.0
    assert nearness(_window(settings, FAILED, *[SUCCESS] * 4), settings) == pytest.approx(0.4)
    assert nearness(_window(settings, SLOW, SLOW, SUCCESS, SUCCESS), settings) == 0.5
    row = BreakerSettings(failure_rate=None, consecutive_failures=4)
    assert nearness(_window(row, FAILED, FAILED, FAILED), row) == 0.75


@settings(deadline=None)
@given(codes=st.lists(st.integers(0, 3), max_size=30), limit=st.integers(1, 5))
def test_nearness_is_1_where_a_rule_is_broken_and_below_elsewhere(codes: list[int], limit: int) -> None:
    settings = BreakerSettings(
        window_calls=10, minimum_calls=4, slow_call_rate=0.7, slow_call_s=1.0, consecutive_failures=limit
    )
    window = make_window(settings)
    for code in codes:
        window.add(bytes([code]), 0.0)
        assert (nearness(window, settings) == 1.0) == (tripped(window, settings) is not None)


def test_the_wait_grows_with_each_opening_in_a_row_up_to_the_longest() -> None:
    settings = BreakerSettings(open_s=2.0, open_growth=3.0, open_s_max=50.0, open_jitter=0.0)
    waits = [open_wait_s(settings, openings=number, rng=Steady(0.9)) for number in (1, 2, 3, 4, 10_000)]
    assert waits == [2.0, 6.0, 18.0, 50.0, 50.0]


@settings(deadline=None)
@given(
    openings=st.integers(1, 10_000),
    growth=st.floats(1, 100),
    jitter=st.floats(0, 1),
    drawn=st.floats(0, 1, exclude_max=True),
)
def test_jitter_only_shortens_and_never_exceeds_the_longest_wait(
    openings: int, growth: float, jitter: float, drawn: float
) -> None:
    settings = BreakerSettings(open_s=2.0, open_growth=growth, open_jitter=jitter, open_s_max=30.0)
    plain = BreakerSettings(open_s=2.0, open_growth=growth, open_jitter=0.0, open_s_max=30.0)
    wait_s = open_wait_s(settings, openings=openings, rng=Steady(drawn))
    most_s = open_wait_s(plain, openings=openings, rng=Steady())
    assert wait_s is not None
    assert most_s is not None
    assert most_s * (1 - jitter) - 1e-9 <= wait_s <= most_s <= 30.0


def test_a_function_for_the_wait_is_not_called_here() -> None:
    def explode(_openings: int) -> float:
        raise AssertionError

    assert open_wait_s(BreakerSettings(open_s=explode), openings=1, rng=Steady()) is None


@pytest.mark.parametrize(
    ("answer", "wait_s"), [(3.0, 3.0), (99.0, 60.0), (-1.0, 0.0), (None, 60.0), (float("nan"), 60.0)]
)
def test_what_the_function_says_is_kept_within_bounds(answer: float | None, wait_s: float) -> None:
    assert answered_wait_s(BreakerSettings(), answer) == wait_s
