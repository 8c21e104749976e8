"""Percentiles are near enough, and the histogram is bounded."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.breaker.latency import (
    BUCKETS,
    CountLatencies,
    Histogram,
    TimeLatencies,
    bucket_of,
    make_latencies,
    middle_of,
)
from actors.breaker.settings import BreakerSettings


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


def test_there_is_an_octet_for_each() -> None:
    assert BUCKETS == 256


def octets(*seconds: float) -> bytes:
    return bytes(map(bucket_of, seconds))


def test_percentiles_are_those_of_the_calls() -> None:
    latencies = CountLatencies(100)
    latencies.add(octets(*(milliseconds / 1000 for milliseconds in range(1, 101))), 0.0)
    histogram = Histogram(latencies.counts(0.0))
    told = [histogram.percentile(fraction) for fraction in (0.0, 0.5, 0.9, 0.99, 1.0)]
    assert told == pytest.approx([0.001, 0.05, 0.09, 0.099, 0.1], rel=0.07)
    assert Histogram().percentile(0.5) is None


def test_buckets_that_there_are_not_count_as_the_nearest() -> None:
    assert Histogram([(-5, 1), (10_000, 2)]).counts() == ((0, 1), (BUCKETS - 1, 2))


def test_the_oldest_calls_leave_a_window_of_calls() -> None:
    latencies = CountLatencies(3)
    latencies.add(b"\1\2", 0.0)
    assert latencies.counts(0.0) == ((1, 1), (2, 1))
    latencies.add(b"\5\5", 1.0)
    assert latencies.counts(1e9) == ((2, 1), (5, 2)), "time does not age them"
    latencies.add(bytes([7]) * 1000, 2.0)
    assert latencies.counts(2.0) == ((7, 3),)


def test_the_oldest_calls_leave_a_window_of_time() -> None:
    latencies = TimeLatencies(10.0)
    latencies.add(b"\1\1", 0.0)
    latencies.add(b"\2", 5.0)
    assert latencies.counts(9.4) == ((1, 2), (2, 1))
    assert latencies.counts(10.0) == ((2, 1),)
    latencies.add(b"\3", 4.0)
    assert latencies.counts(10.0) == ((2, 1), (3, 1)), "an earlier moment counts as the latest"
    assert latencies.counts(1e9) == ()


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.binary(max_size=4)), max_size=40))
def test_a_window_of_time_holds_what_ended_within_it_and_no_more(steps: list[tuple[int, bytes]]) -> None:
    latencies, ended, now = TimeLatencies(20.0), list[tuple[int, int]](), 0
    for seconds, codes in steps:
        now += seconds
        latencies.add(codes, float(now))
        ended += [(now, code) for code in codes]
        held = Counter(code for at, code in ended if at > now - 20)
        assert latencies.counts(float(now)) == tuple(sorted(held.items()))


def test_the_settings_say_which_window() -> None:
    assert isinstance(make_latencies(BreakerSettings()), CountLatencies)
    assert isinstance(make_latencies(BreakerSettings(window_s=5.0)), TimeLatencies)
