"""Availability is the fraction of the known time, over windows of bounded size."""

from __future__ import annotations

import pytest

from actors.health.availability import Availability


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


def test_a_clock_that_steps_back_adds_nothing() -> None:
    availability = Availability((60.0,), now=100.0)
    availability.turn(True, 100.0)
    availability.settle(110.0)
    availability.settle(90.0)
    assert availability.shares(95.0) == {60.0: 1.0}
