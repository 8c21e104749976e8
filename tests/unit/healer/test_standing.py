"""Turns go by severity and age under the limit; wakes are told in their order."""

from __future__ import annotations

from random import Random
from typing import Any

from actors.healer.case import Case
from actors.healer.incident import Incident
from actors.healer.settings import HealerSettings
from actors.healer.standing import Standing


def _standing(**fields: Any) -> Standing:
    return Standing(HealerSettings(**fields), rng=Random(1), now=0.0)


def _case(standing: Standing, number: int, **fields: Any) -> Case:
    given: dict[str, Any] = {"incident_id": str(number), "component": f"c{number}", "failure": "x", "severity": "low"}
    case = Case(Incident(**(given | fields)), order=number, detected_at=0.0, detect_s=0.0)
    standing.cases[case.incident.incident_id] = case
    standing.causes[case.incident.component, "x"] = case.incident.incident_id
    return case


def test_turns() -> None:
    standing = _standing(in_flight=2)
    cases = [_case(standing, 1), _case(standing, 2, severity="high"), _case(standing, 3), _case(standing, 4)]
    standing.holds["c3"] = ("ann", "why")
    for case in cases:
        standing.set(case, "ready")
    assert standing.next_turn() is cases[1]
    standing.set(cases[1], "verifying")
    standing.set(cases[0], "waiting")
    assert standing.next_turn() is cases[3]
    standing.set(cases[3], "recording")
    del standing.holds["c3"]
    standing.release("c3")
    assert standing.next_turn() is None, "the limit is reached"
    standing.set(cases[3], "running")
    standing.set(cases[1], "waiting")
    assert standing.active == 1
    assert standing.next_turn() is cases[2]
    assert standing.next_turn() is None


def test_wakes_of_cases_that_are_gone_are_none() -> None:
    standing = _standing()
    first, second = _case(standing, 1), _case(standing, 2)
    standing.set(first, "waiting", due_at=5.0)
    standing.set(second, "waiting", due_at=7.0)
    assert standing.next_at() == 5.0
    standing.forget(first)
    assert standing.next_at() == 7.0
    standing.wake(second, 9.0)
    standing.now = 8.0
    assert standing.due() is second
    assert standing.due() is None
    standing.forget(second)
    standing.now = 10.0
    assert standing.due() is None
    assert standing.next_at() is None
