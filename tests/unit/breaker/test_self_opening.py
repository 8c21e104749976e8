"""A process's own opening: shut, then probing, then lifted or shut for longer."""

from __future__ import annotations

from typing import Any

from actors.breaker.rules import Trip
from actors.breaker.self_opening import SelfOpening
from tests.unit.breaker.scene import Steady, fast

TRIP = Trip(rule="failure_rate", value=1.0, threshold=0.5, calls=4)


def _opening(**fields: Any) -> SelfOpening:
    return SelfOpening(TRIP, fast(**fields), rng=Steady(), now=100.0)


def test_it_is_shut_for_the_wait_and_then_probes() -> None:
    opening = _opening()
    assert [opening.is_shut(now) for now in (100.0, 104.9, 105.0)] == [True, True, False]
    assert not opening.awaits_wait


def test_its_probes_lift_it_or_shut_it_for_longer() -> None:
    opening = _opening()
    assert opening.count(success=True, now=106.0) is None
    assert opening.count(success=False, now=107.0) == "failed"
    assert (opening.openings, opening.until, opening.probation.successes) == (2, 117.0, 0)
    assert opening.count(success=True, now=118.0) is None
    assert opening.count(success=True, now=118.0) == "passed"


def test_the_users_function_is_waited_for_behind_the_longest_wait() -> None:
    opening = _opening(open_s=float)
    assert (opening.awaits_wait, opening.until) == (True, 120.0)
    opening.answer_wait(3.0)
    assert (opening.awaits_wait, opening.until) == (False, 103.0)
    opening.answer_wait(1.0)
    assert opening.until == 103.0
