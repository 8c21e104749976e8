"""A row's ratio is that of its rounds, and says whether the target was reached."""

from __future__ import annotations

from dataclasses import replace

import pytest

from experiments.bench.row import Measured
from experiments.bench.rows import (
    ALL,
    BREAKER_CLOSED,
    BREAKERS,
    HANG,
    KILL,
    LATENCY,
    LOCAL_BREAKERS,
    THROUGHPUT,
    against,
)
from experiments.bench.running import NAMES_MEASURED


def test_more_a_second_is_ours_by_theirs():
    measured = Measured(row=THROUGHPUT, ours=(30.0, 20.0, 25.0), theirs=(2.0, 2.0, 2.5))
    assert measured.ratios == (15.0, 10.0, 10.0)
    assert (measured.ratio, measured.reached) == (10.0, True)


def test_faster_is_theirs_by_ours():
    measured = Measured(row=KILL, ours=(0.01, 0.02), theirs=(1.0, 1.0))
    assert (measured.ratio, measured.reached) == (75.0, False)


def test_below_is_reached_from_below():
    assert Measured(row=LATENCY, ours=(1.2,), theirs=(1.0,)).reached
    assert not Measured(row=LATENCY, ours=(1.4,), theirs=(1.0,)).reached


def test_each_round_is_compared_with_its_own_other_side():
    """A machine that slows down half-way slows both sides: the ratio stays."""
    assert set(Measured(row=HANG, ours=(1.0, 2.0), theirs=(1.0, 2.0)).ratios) == {1.0}


def test_values_are_shown_as_median_and_range_in_the_row_s_unit():
    measured = Measured(row=KILL, ours=(0.004, 0.002, 0.003), theirs=(1.0, 1.0, 1.0))
    assert measured.shown(measured.ours) == "3 ms (2 - 4)"
    assert measured.shown_ratio() == "333 x (250 - 500)"
    assert measured.shown_target() == ">= 100 x"
    assert replace(measured, row=LATENCY).shown_target() == "<= 1.3 x"


def test_rounds_come_in_pairs():
    with pytest.raises(ValueError, match="shorter"):
        _ = Measured(row=KILL, ours=(1.0, 2.0), theirs=(1.0,)).ratios


def test_names_are_distinct():
    assert len({row.name for row in ALL}) == len(ALL)


def test_the_peers_that_did_best_are_named_and_those_that_are_missing():
    answers = [{"peers": {"a": 2.0, "b": 1.0}, "missing": ["c"]}, {"peers": {"a": 1.0, "b": 3.0}, "missing": ["c"]}]
    told = "a in 1 of 2 rounds; not installed: c (uv sync --group bench)"
    assert against("the fastest peer", answers) == f"the fastest peer: b in 1 of 2 rounds, {told}"
    assert against("the peer that scales best", answers[:1]).startswith("the peer that scales best: a in 1 of 1 rounds")
    none = against("the fastest peer", [{"peers": {}, "missing": ["c"]}])
    assert none == "the fastest peer: there is none here; not installed: c (uv sync --group bench)"


def test_without_a_peer_nothing_is_reached():
    assert not Measured(row=BREAKER_CLOSED, ours=(1.0,), theirs=(float("nan"),)).reached


def test_the_headline_rows_of_breakers_are_of_shared_ones_and_say_so():
    assert all(row.title.startswith("shared breaker: ") for row in BREAKERS)
    assert [row.name for row in LOCAL_BREAKERS] == [
        "breaker-local-closed",
        "breaker-local-open",
        "breaker-local-async",
        "breaker-local-threads",
    ]
    assert all(row.title.startswith("local breaker: ") for row in LOCAL_BREAKERS)


def test_every_row_is_measured():
    assert {row.name for row in ALL} == NAMES_MEASURED
