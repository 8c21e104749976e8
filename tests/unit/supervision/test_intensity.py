"""The sliding window of Erlang/OTP's supervisor."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor.supervision.intensity import record_restart


def _allowed(times: list[float], *, intensity: int, period_s: float) -> list[bool]:
    restarted_at: tuple[float, ...] = ()
    answers: list[bool] = []
    for now in times:
        restarted_at, allowed = record_restart(restarted_at, now=now, intensity=intensity, period_s=period_s)
        answers.append(allowed)
    return answers


def test_restarts_up_to_the_intensity_are_borne_and_one_more_is_not() -> None:
    assert _allowed([0, 1, 2, 3], intensity=3, period_s=5.0) == [True, True, True, False]


def test_restarts_spaced_wider_than_the_period_go_on_for_ever() -> None:
    assert all(_allowed([5.1 * n for n in range(1000)], intensity=1, period_s=5.0))


def test_a_restart_exactly_a_period_ago_still_counts() -> None:
    assert _allowed([0, 5.0], intensity=1, period_s=5.0) == [True, False]


def test_intensity_zero_means_no_restart_at_all() -> None:
    assert _allowed([0], intensity=0, period_s=5.0) == [False]


def test_old_restarts_are_dropped() -> None:
    assert record_restart((0.0, 4.0, 9.0), now=10.0, intensity=3, period_s=5.0) == ((9.0, 10.0), True)


@settings(deadline=None)
@given(st.lists(st.floats(0, 100), max_size=50).map(sorted), st.integers(0, 5), st.floats(0.1, 50))
def test_what_is_allowed_never_exceeds_the_intensity_in_any_window(
    times: list[float], intensity: int, period_s: float
) -> None:
    answers = _allowed(times, intensity=intensity, period_s=period_s)
    windows = [sum(now - at <= period_s for at in times[: index + 1]) for index, now in enumerate(times)]
    assert answers == [inside <= intensity for inside in windows]
