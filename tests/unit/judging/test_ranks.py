"""The test agrees with scipy's, and tells a shift only if it is neither chance nor nothing."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.judging.ranks import compare

SCIPY = [
    ((30, 40, 0.3, 3), 0.01790145594687054, 0.6666666666666666),
    ((20, 20, 0.0, 1), 0.26684546639267004, 0.39625),
    ((100, 50, 1.0, 6), 2.1630920308731147e-07, 0.7602),
    ((25, 25, 0.5, 0), 0.6911034224627792, 0.5312),
]
"""scipy.stats.mannwhitneyu(..., method="asymptotic") of samples drawn in turn; the last digit makes ties."""


def test_it_agrees_with_scipy() -> None:
    rng = Random(5)
    for (first, second, shift, digits), p, superiority in SCIPY:
        baseline = [round(rng.gauss(0, 1), digits) for _ in range(first)]
        fault = [round(rng.gauss(shift, 1), digits) for _ in range(second)]
        found = compare(baseline, fault)
        assert found.p == pytest.approx(p, rel=1e-9)
        assert found.superiority == pytest.approx(superiority)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=40), st.lists(st.floats(0, 10), min_size=1, max_size=40))
def test_both_ways_round_say_the_same(first: list[float], second: list[float]) -> None:
    one, other = compare(first, second), compare(second, first)
    assert one.p == pytest.approx(other.p)
    assert one.shift_s == pytest.approx(-other.shift_s)
    assert one.superiority == pytest.approx(1 - other.superiority)
    assert 0 <= one.p <= 1


def test_a_shift_is_real_when_it_is_large_and_no_chance() -> None:
    rng = Random(1)
    fast = [rng.expovariate(100) for _ in range(2000)]
    slow = [value + 0.05 for value in fast]
    shift = compare(fast, slow)
    assert shift.shift_s == pytest.approx(0.05, rel=0.05)
    assert shift.is_real(alpha=0.01, least_s=0.01)
    assert not shift.is_real(alpha=0.01, least_s=0.1), "too small to matter"
    assert not compare(fast[:1000], fast[1000:]).is_real(alpha=0.01, least_s=0.0), "chance"


def test_equal_values_differ_in_nothing_and_nothing_cannot_be_compared() -> None:
    assert compare([1.0] * 9, [1.0] * 9).p == compare([1.0], [1.0]).p == 1.0
    with pytest.raises(ValueError, match="nothing to compare"):
        compare([], [1.0])
