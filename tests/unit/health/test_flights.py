"""Each check in flight is known by its number, and expires once."""

from __future__ import annotations

from actors.health.component import ProbeKey
from actors.health.flights import Flights

A: ProbeKey = ("a", "liveness", "")
B: ProbeKey = ("b", "readiness", "node:x")


def test_numbers_are_never_used_again() -> None:
    flights = Flights()
    first = flights.begin(A, expires_at=5.0)
    assert flights.key(first) == A
    assert flights.end(first) == A
    assert flights.end(first) is None
    assert flights.begin(A, expires_at=5.0) > first
    assert len(flights) == 1


def test_what_takes_too_long_is_told_once_and_is_in_flight_still() -> None:
    flights = Flights()
    first, second = flights.begin(A, expires_at=5.0), flights.begin(B, expires_at=3.0)
    assert flights.next_at() == 3.0
    assert flights.expired(4.0) == [second]
    assert flights.expired(4.0) == []
    flights.end(first)
    assert flights.next_at() is None
    assert flights.expired(9.0) == []
    assert flights.end(second) == B


def test_an_ended_one_does_not_expire() -> None:
    flights = Flights()
    flights.end(flights.begin(A, expires_at=5.0))
    assert flights.expired(9.0) == []


def test_time_in_which_nobody_looked_is_given_to_those_that_are_waited_for() -> None:
    flights = Flights()
    first, second = flights.begin(A, expires_at=5.0), flights.begin(B, expires_at=3.0)
    flights.expired(3.0)
    assert flights.delay(100.0) == [first]
    assert flights.next_at() == 105.0
    assert flights.end(second) == B
