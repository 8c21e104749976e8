"""Waits grow as their kind says, and no jitter takes them over the ceiling."""

from __future__ import annotations

from random import Random
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.recovery.backoff import Backoff, delay_s, restart_delay_s


def _delays(kind: Backoff, *, previous_s: float = 0.0) -> list[float]:
    rng = Random(7)
    return [
        delay_s(kind, failures=failures, min_s=1.0, max_s=5.0, previous_s=previous_s, rng=rng)
        for failures in range(1, 6)
    ]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("exponential", [1, 2, 4, 5, 5]), ("linear", [1, 2, 3, 4, 5]), ("constant", [1, 1, 1, 1, 1])],
)
def test_without_jitter_the_shape_is_exact(kind: Backoff, expected: list[float]) -> None:
    assert _delays(kind) == expected


def test_full_jitter_draws_from_nothing_to_the_exponential_wait() -> None:
    assert all(0 <= drawn <= most for drawn, most in zip(_delays("full_jitter"), _delays("exponential"), strict=True))


def test_equal_jitter_keeps_half_of_the_exponential_wait() -> None:
    assert all(
        most / 2 <= drawn <= most for drawn, most in zip(_delays("equal_jitter"), _delays("exponential"), strict=True)
    )


def test_decorrelated_jitter_draws_up_to_three_times_the_wait_before() -> None:
    """Its first wait is `min_s`, since there is none before."""
    assert _delays("decorrelated") == [1.0] * 5
    assert all(1.0 <= drawn <= 4.5 for drawn in _delays("decorrelated", previous_s=1.5))


@given(
    kind=st.sampled_from(get_args(Backoff)),
    failures=st.integers(1, 10_000),
    min_s=st.floats(0, 10),
    above_s=st.floats(0, 1000),
    previous_s=st.floats(0, 1000),
    seed=st.integers(0, 99),
)
def test_no_wait_is_negative_or_over_the_ceiling(
    kind: Backoff, failures: int, min_s: float, above_s: float, previous_s: float, seed: int
) -> None:
    max_s = min_s + above_s
    wait_s = delay_s(kind, failures=failures, min_s=min_s, max_s=max_s, previous_s=previous_s, rng=Random(seed))
    assert 0 <= wait_s <= max_s


def test_the_first_restart_is_immediate_and_the_others_double_up_to_the_ceiling() -> None:
    rng = Random(1)
    waits = [restart_delay_s(restarts=n, min_s=0.1, max_s=1.0, jitter=0.0, rng=rng) for n in (0, 1, 2, 3, 4, 5, 9999)]
    assert waits == [0.0, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0]


@given(restarts=st.integers(1, 5000), jitter=st.floats(0, 1), seed=st.integers(0, 99))
def test_restart_jitter_only_shortens(restarts: int, jitter: float, seed: int) -> None:
    step = restart_delay_s(restarts=restarts, min_s=0.1, max_s=5.0, jitter=0.0, rng=Random(seed))
    drawn = restart_delay_s(restarts=restarts, min_s=0.1, max_s=5.0, jitter=jitter, rng=Random(seed))
    assert step * (1 - jitter) - 1e-12 <= drawn <= step
