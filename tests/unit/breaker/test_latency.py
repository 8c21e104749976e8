"""Percentiles are near enough, and the histogram is bounded."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.breaker.latency import BUCKETS, Histogram, bucket_of, middle_of


@settings(deadline=None)
@given(st.floats(1e-6, 4000))
def test_a_bucket_stands_for_a_duration_within_six_percent(duration_s: float) -> None:
    assert abs(middle_of(bucket_of(duration_s)) - duration_s) <= duration_s / 16 + 1e-12


@settings(deadline=None)
@given(st.lists(st.floats(1e-6, 4000), min_size=2))
def test_longer_calls_are_in_later_buckets(durations: list[float]) -> None:
    buckets = [bucket_of(duration_s) for duration_s in sorted(durations)]
    assert buckets == sorted(buckets)


@pytest.mark.parametrize(
    ("duration_s", "bucket"),
    [(0.0, 0), (-1.0, 0), (1e-9, 0), (4096.0, BUCKETS - 1), (1e9, BUCKETS - 1), (math.inf, BUCKETS - 1)],
)
def test_what_is_out_of_range_is_in_the_nearest_bucket(duration_s: float, bucket: int) -> None:
    assert bucket_of(duration_s) == bucket


def test_what_is_no_number_is_very_long() -> None:
    assert bucket_of(math.nan) == BUCKETS - 1


def test_percentiles_are_those_of_the_calls() -> None:
    histogram = Histogram()
    for milliseconds in range(1, 101):
        histogram.add(milliseconds / 1000)
    told = [histogram.percentile(fraction) for fraction in (0.0, 0.5, 0.9, 0.99, 1.0)]
    assert told == pytest.approx([0.001, 0.05, 0.09, 0.099, 0.1], rel=0.07)
    assert Histogram().percentile(0.5) is None


def test_counts_travel_and_add_up() -> None:
    first, second = Histogram(), Histogram()
    first.add(0.1)
    second.add(0.1)
    second.add(5.0)
    first.add_counts(second.counts())
    assert (len(first), len(first.counts())) == (3, 2)
    assert Histogram(first.counts()).counts() == first.counts()


def test_buckets_that_there_are_not_count_as_the_nearest() -> None:
    assert Histogram([(-5, 1), (10_000, 2)]).counts() == ((0, 1), (BUCKETS - 1, 2))
