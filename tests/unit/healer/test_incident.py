"""An incident goes only where it may, and remembers the way."""

from __future__ import annotations

from typing import get_args

import pytest

from actors.healer.incident import HISTORY_MAX, LEGAL, Entry, Incident, Phase, moved, problems_of_trouble

DB = Incident(incident_id="1.1", component="db", failure="crash", severity="low")


def test_every_phase_has_its_ways_and_only_resolved_is_the_end() -> None:
    assert set(LEGAL) == set(get_args(Phase))
    assert [phase for phase, ways in LEGAL.items() if not ways] == ["resolved"]


def test_a_legal_way_is_remembered() -> None:
    incident = DB
    way: tuple[Phase, ...] = ("diagnosed", "recovering", "verifying", "recovering", "escalated", "resolved")
    for number, phase in enumerate(way):
        incident = moved(incident, phase, detail="why", after_s=float(number))
        assert incident.is_over == (phase in ("escalated", "resolved"))
    assert tuple(entry.what for entry in incident.history) == way
    assert incident.history[-1] == Entry(what="resolved", detail="why", after_s=5.0)


def test_it_knows_when_people_had_to_take_it_over() -> None:
    assert DB.escalated_after_s == 0.0
    diagnosed = moved(DB, "diagnosed", detail="", after_s=1.0)
    assert moved(diagnosed, "escalated", detail="", after_s=7.0).escalated_after_s == 7.0


def test_another_way_is_refused_with_how_it_came_there() -> None:
    incident = moved(moved(DB, "diagnosed", detail="", after_s=0.0), "resolved", detail="", after_s=1.0)
    with pytest.raises(ValueError, match=r"1\.1 cannot go from resolved to recovering \(diagnosed -> resolved\)"):
        moved(incident, "recovering", detail="", after_s=2.0)


def test_its_history_is_bounded() -> None:
    incident = DB
    for number in range(HISTORY_MAX + 5):
        incident = incident.noted(Entry(what=str(number)))
    assert len(incident.history) == HISTORY_MAX
    assert incident.history[-1].what == str(HISTORY_MAX + 4)


def test_what_cannot_be_reported_is_named_field_by_field() -> None:
    assert problems_of_trouble("db", "crash", "low") == ()
    assert problems_of_trouble("", 5, "huge") == (
        "component: '' is no name; give a text of 1 to 256 characters, as 'payment-service'",
        "failure: 5 is no name; give a text of 1 to 256 characters, as 'network'",
        "severity: 'huge' is none; there are low, medium, high, critical",
    )
    assert [problem.partition(":")[0] for problem in problems_of_trouble("x" * 257, "", ["low"])] == [
        "component",
        "failure",
        "severity",
    ]


def test_names_of_a_trouble_are_lines_of_text() -> None:
    (component, failure) = problems_of_trouble("a\nb", "c\x1b[31m", "low")
    assert component.startswith("component: 'a\\nb' has line ends")
    assert failure.startswith("failure: 'c\\x1b[31m' has line ends")
