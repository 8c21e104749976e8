"""A window holds the last calls or the last seconds, whatever the batches; compared with a plain list."""

from __future__ import annotations

from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.breaker.outcome import FAILED, FAILED_SLOW, SLOW, SUCCESS
from actors.breaker.settings import BreakerSettings
from actors.breaker.window import BUCKETS, CountWindow, FailureRun, TimeWindow, Window, make_window

BATCHES = st.lists(st.lists(st.integers(0, 3), max_size=12).map(bytes), max_size=12)
MIXED = bytes([SUCCESS, FAILED, SLOW, FAILED_SLOW])


def _shown(window: Window) -> tuple[int, int, int]:
    return window.calls, window.failures, window.slow


def _expected(codes: bytes | list[int]) -> tuple[int, int, int]:
    return len(codes), sum(code & FAILED != 0 for code in codes), sum(code & SLOW != 0 for code in codes)


@settings(max_examples=40, deadline=None)
@given(size=st.integers(1, 9), batches=BATCHES)
def test_a_count_window_holds_the_last_calls_in_order(size: int, batches: list[bytes]) -> None:
    window, every = CountWindow(size), b""
    for batch in batches:
        window.add(batch, 0.0)
        every += batch
        assert window.contents() == every[-size:]
        assert _shown(window) == _expected(every[-size:])


@settings(max_examples=40, deadline=None)
@given(batches=BATCHES)
def test_a_run_of_failures_is_found_wherever_batches_are_cut(batches: list[bytes]) -> None:
    run, every = FailureRun(), b""
    for batch in filter(None, batches):
        before = len(every)
        run.add(batch)
        every += batch
        runs = [(failed, len(list(codes))) for failed, codes in groupby(every, lambda code: code & FAILED != 0)]
        assert run.length == (runs[-1][1] if runs[-1][0] else 0)
        ends = [0]
        for code in every:
            ends.append(ends[-1] + 1 if code & FAILED else 0)
        assert run.peak == max(ends[before + 1 :])


@settings(max_examples=40, deadline=None)
@given(steps=st.lists(st.tuples(st.integers(0, 40), st.lists(st.integers(0, 3), max_size=6).map(bytes)), max_size=20))
def test_a_time_window_holds_the_last_twenty_buckets(steps: list[tuple[int, bytes]]) -> None:
    window, told, now = TimeWindow(20.0), list[tuple[int, int]](), 0
    for step, batch in steps:
        now += step
        window.add(batch, now + 0.5)
        window.settle(now + 0.5)
        told += ((now, code) for code in batch)
        inside = [code for at, code in told if at > now - BUCKETS]
        assert _shown(window) == _expected(inside)
        assert sorted(window.contents()) == sorted(inside)


def test_a_time_window_ages_without_calls_and_ignores_a_clock_that_steps_back() -> None:
    window = TimeWindow(20.0)
    window.add(MIXED, 100.0)
    window.settle(50.0)
    window.add(MIXED, 50.0)
    assert _shown(window) == (8, 4, 4)
    window.settle(119.9)
    assert window.calls == 8
    window.settle(120.0)
    assert _shown(window) == (0, 0, 0)


def test_time_alone_takes_nothing_from_a_count_window_or_from_a_run() -> None:
    counted, timed = CountWindow(4), TimeWindow(1.0)
    for window in (counted, timed):
        window.add(MIXED[1:2] * 2, 0.0)
        window.settle(1e9)
    assert (counted.calls, timed.calls) == (2, 0)
    assert (counted.run.length, timed.run.length) == (2, 2)


@pytest.mark.parametrize("window", [CountWindow(4), TimeWindow(10.0)])
def test_rates_are_per_call_and_a_cleared_window_has_none(window: Window) -> None:
    assert (window.failure_rate, window.slow_rate) == (0.0, 0.0)
    window.add(bytes([FAILED, FAILED, SLOW, SUCCESS]), 5.0)
    assert (window.failure_rate, window.slow_rate) == (0.5, 0.25)
    window.clear()
    assert (_shown(window), window.contents(), window.run.length, window.run.peak) == ((0, 0, 0), b"", 0, 0)
    window.add(bytes([FAILED]), 5.0)
    assert _shown(window) == (1, 1, 0)


def test_an_empty_batch_is_none() -> None:
    window = CountWindow(3)
    window.add(bytes([FAILED] * 2), 0.0)
    window.add(b"", 0.0)
    assert (window.calls, window.run.length) == (2, 2)


def test_the_settings_choose_the_window() -> None:
    counted, timed = make_window(BreakerSettings(window_calls=3)), make_window(BreakerSettings(window_s=3.0))
    assert (type(counted), type(timed)) == (CountWindow, TimeWindow)
    counted.add(MIXED * 5, 0.0)
    assert counted.calls == 3
