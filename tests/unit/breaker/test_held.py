"""A permit goes back at the end of its lease, and is a failure when its call's own limit passes before that."""

from __future__ import annotations

from actors.breaker.held import HeldPermits
from actors.breaker.verdict import Permit


def permit(number: int, expires_at: float = 10.0) -> Permit:
    return Permit(number=number, generation=1, ticket=1, expires_at=expires_at)


def test_a_lease_that_is_over_says_nothing_and_a_limit_that_passed_is_a_failure():
    held = HeldPermits()
    assert held.next_at() is None
    plain, limited, patient = permit(1), permit(2), permit(3)
    assert [held.add(plain), held.add(limited, 4.0), held.add(patient, 12.0)] == [10.0, 4.0, 10.0]
    assert (held.next_at(), held.take_due(3.9)) == (4.0, [])
    assert held.take_due(4.0) == [(limited, "failure")]
    assert held.take_due(10.0) == [(plain, "cancelled"), (patient, "cancelled")]
    assert held.next_at() is None


def test_a_call_that_is_cancelled_at_its_limit_has_failed_and_before_it_says_nothing():
    held = HeldPermits()
    for number, at, outcome in ((1, 3.9, "cancelled"), (2, 4.0, "failure")):
        held.add(permit(number), 4.0)
        assert held.end(permit(number), "cancelled", at) == outcome
    held.add(permit(3), 4.0)
    assert held.end(permit(3), "success", 5.0) == "success"
    assert held.end(permit(3), "success", 5.0) == "success", "it is held no more"
