"""A permit is out once, and given back once."""

from __future__ import annotations

from actors.breaker.leases import Lease, Leases


def _lease(permit: int, holder: str = "p", *, request: int = 0, expires_at: float = 10.0) -> Lease:
    return Lease(permit=permit, holder=holder, request=request or permit, generation=1, expires_at=expires_at)


def _out(*leases: Lease) -> Leases:
    made = Leases()
    for lease in leases:
        made.add(lease)
    return made


def test_it_is_given_back_once_and_by_its_holder_only() -> None:
    leases = _out(_lease(1), _lease(2))
    assert leases.end(1, "q") is None
    assert leases.end(3, "p") is None
    assert len(leases) == 2
    assert leases.end(1, "p") == _lease(1)
    assert leases.end(1, "p") is None
    assert list(leases) == [_lease(2)]


def test_a_repeated_request_finds_what_it_was_granted() -> None:
    leases = _out(_lease(1, "p", request=7))
    assert leases.find("p", 7) == _lease(1, "p", request=7)
    assert leases.find("p", 8) is None
    assert leases.find("q", 7) is None


def test_a_death_gives_back_what_the_dead_one_held() -> None:
    leases = _out(_lease(1, "p"), _lease(2, "q"), _lease(3, "p"))
    assert leases.drop_holder("p") == 2
    assert leases.drop_holder("p") == 0
    assert list(leases) == [_lease(2, "q")]


def test_time_gives_back_those_that_are_over_at_their_very_end() -> None:
    leases = _out(_lease(1, expires_at=5.0), _lease(2, expires_at=6.0))
    assert leases.next_at() == 5.0
    assert leases.expire(4.9) == 0
    assert leases.expire(5.0) == 1
    assert leases.next_at() == 6.0
    assert leases.expire(99.0) == 1
    assert leases.next_at() is None


def test_unknown_leases_shut_it_until_their_end() -> None:
    leases = Leases()
    assert not leases.is_shut(-1e9)
    leases.shut_until = 5.0
    assert [leases.is_shut(now) for now in (4.9, 5.0)] == [True, False]
