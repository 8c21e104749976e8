"""Probes decide as soon as what is missing cannot change it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.breaker.probation import Probation
from actors.breaker.settings import BreakerSettings


def _probation(permits: int, rate: float = 1.0) -> Probation:
    return Probation(BreakerSettings(half_open_permits=permits, half_open_success_rate=rate))


def _decides(probation: Probation, *successes: bool) -> list[str | None]:
    return [probation.count(success=success) for success in successes]


def test_all_must_succeed_by_default_and_the_first_failure_decides() -> None:
    assert _decides(_probation(3), True, True, True) == [None, None, "passed"]
    assert _decides(_probation(3), True, False) == [None, "failed"]


def test_a_lower_rate_allows_for_failures() -> None:
    assert _decides(_probation(4, 0.5), False, True, False, True) == [None, None, None, "passed"]
    assert _decides(_probation(4, 0.5), False, True, False, False) == [None, None, None, "failed"]


@pytest.mark.parametrize(("permits", "rate", "required"), [(30, 0.1, 3), (3, 0.01, 1), (3, 0.34, 2), (10, 0.7, 7)])
def test_how_many_must_succeed(permits: int, rate: float, required: int) -> None:
    assert _probation(permits, rate).required == required


def test_room_is_what_neither_runs_nor_has_been_counted() -> None:
    probation = _probation(3, 0.5)
    assert [probation.room(outstanding) for outstanding in (0, 2, 3, 9)] == [3, 1, 0, 0]
    probation.count(success=True)
    assert [probation.room(outstanding) for outstanding in (0, 2)] == [2, 0]


@settings(deadline=None)
@given(permits=st.integers(1, 12), rate=st.floats(0.01, 1), successes=st.lists(st.booleans(), min_size=12, max_size=12))
def test_it_is_decided_once_and_as_the_rate_says(permits: int, rate: float, successes: list[bool]) -> None:
    probation = _probation(permits, rate)
    for number, success in enumerate(successes[:permits], start=1):
        result = probation.count(success=success)
        if result is not None:
            best = (probation.successes + permits - number) / permits
            assert (result == "passed") == (probation.successes / permits >= rate - 1e-9)
            assert (result == "failed") == (best < rate - 1e-9)
            return
    raise AssertionError("undecided after all probes")
