"""Availability is the fraction of the known time, over windows of bounded size."""

from __future__ import annotations

import pytest

from actors.health.availability import SPANS_LIMIT, SPANS_MAX, Availability


def test_the_fraction_of_the_time_that_it_was_up() -> None:
    availability = Availability((60.0, 600.0), now=0.0)
    assert availability.shares(1.0) == {60.0: None, 600.0: None}
    availability.turn(True, 10.0)
    availability.turn(False, 40.0)
    availability.turn(True, 50.0)
    shares = availability.shares(60.0)
    assert shares[600.0] == pytest.approx(40 / 50)
    assert shares[60.0] == pytest.approx(40 / 50, abs=0.02)


def test_what_is_older_than_the_window_is_forgotten() -> None:
    availability = Availability((60.0,), now=0.0)
    availability.turn(False, 0.0)
    availability.turn(True, 100.0)
    assert availability.shares(500.0) == {60.0: 1.0}
    availability.turn(None, 500.0)
    assert availability.shares(5000.0) == {60.0: None}


def test_time_in_which_nobody_looked_counts_for_nothing() -> None:
    availability = Availability((600.0,), now=0.0)
    availability.turn(False, 0.0)
    availability.settle(10.0)
    availability.skip(100.0)
    availability.turn(True, 100.0)
    assert availability.shares(110.0)[600.0] == pytest.approx(0.5)


def test_another_life_goes_on_with_what_was_seen() -> None:
    """On another clock, and without the time in which nobody looked; what was up is up until then."""
    former = Availability((60.0, 600.0), now=0.0)
    former.turn(False, 0.0)
    former.turn(True, 30.0)
    kept = former.kept(50.0)
    assert kept == ((60.0, 600.0), True, 20.0, ((50.0, 20.0, False),), 50.0, b"")
    later = Availability((60.0, 600.0), now=9000.0)
    later.resume(kept, now=9000.0, kept_ago_s=40.0, away_s=10.0)
    assert later.shares(9000.0)[600.0] == pytest.approx(50 / 80, abs=0.01), "30 s down, 50 s up, 10 s unseen"
    later.turn(False, 9010.0)
    assert later.shares(9030.0)[600.0] == pytest.approx(60 / 110, abs=0.01)
    assert later.shares(9030.0)[60.0] == pytest.approx(30 / 50, abs=0.05)


def test_what_is_kept_is_packed_anew_only_after_many_turns() -> None:
    availability = Availability((60.0, 3600.0), now=0.0)
    assert availability.is_new
    for number in range(SPANS_MAX + 2):
        assert not availability.is_long
        availability.turn(number % 2 == 1, 3.0 * number)
    assert availability.is_long
    assert not availability.is_new
    at = 3.0 * (SPANS_MAX + 2)
    availability.settle(at)
    spelt_out = availability.kept(at)
    availability.pack()
    assert not availability.is_long
    packed = availability.kept(at + 5.0)
    assert (packed[1:5], len(packed[5]) < 100) == ((True, 5.0, (), 5.0), True)
    for kept, kept_ago_s in ((spelt_out, 10.0), (packed, 5.0)):
        later = Availability((60.0, 3600.0), now=7000.0)
        later.resume(kept, now=7000.0, kept_ago_s=kept_ago_s, away_s=1.0)
        assert later.shares(7000.0)[3600.0] == pytest.approx(availability.shares(at + 9.0)[3600.0], abs=0.02)
        again = Availability((60.0, 3600.0), now=100.0)
        again.resume(later.kept(7000.0), now=100.0, kept_ago_s=0.0, away_s=0.0)
        assert again.shares(100.0)[3600.0] == pytest.approx(later.shares(7000.0)[3600.0], abs=0.02)


def test_spans_are_bounded() -> None:
    availability = Availability((60.0,), now=0.0)
    for number in range(1000):
        availability.turn(number % 2 == 0, float(number))
        availability.skip(number + 0.5)
    assert len(availability.kept(1000.0)[3]) < SPANS_LIMIT


def test_other_windows_begin_anew() -> None:
    former = Availability((60.0,), now=0.0)
    former.turn(False, 0.0)
    later = Availability((600.0,), now=100.0)
    later.resume(former.kept(50.0), now=100.0, kept_ago_s=1.0, away_s=1.0)
    assert later.shares(100.0) == {600.0: None}
    assert later.shares(160.0) == {600.0: 0.0}


def test_a_clock_that_steps_back_adds_nothing() -> None:
    availability = Availability((60.0,), now=100.0)
    availability.turn(True, 100.0)
    availability.settle(110.0)
    availability.settle(90.0)
    assert availability.shares(95.0) == {60.0: 1.0}
