"""Subscribers see each change once, in order, over the monitor's deaths, and know what they missed."""

from __future__ import annotations

from dataclasses import replace

from actors.health.published import CHANGES_MAX, ChangesSeen, HealthChange, HealthStanding, LatestChanges


def _change(component: str) -> HealthChange:
    return HealthChange(kind="state", component=component)


def _names(changes: list[HealthChange]) -> list[str]:
    return [change.component for change in changes]


def test_what_was_before_is_not_told() -> None:
    latest, seen = LatestChanges(1), ChangesSeen()
    latest.add(_change("a"))
    seen.begin(latest.all())
    assert seen.take(latest.all()) == []
    latest.add(_change("b"))
    assert _names(seen.take(latest.all())) == ["b"]
    assert seen.take(latest.all()) == []


def test_it_begins_with_the_first_look_when_nothing_else_was_said() -> None:
    latest, seen = LatestChanges(1), ChangesSeen()
    latest.add(_change("a"))
    assert seen.take(latest.all()) == []
    latest.add(_change("b"))
    assert _names(seen.take(latest.all())) == ["b"]


def test_it_goes_on_over_the_death_of_the_monitor() -> None:
    former, seen = LatestChanges(1), ChangesSeen()
    seen.begin(())
    former.add(_change("a"))
    former.add(_change("b"))
    assert _names(seen.take(former.all())) == ["a", "b"]
    former.add(_change("c"))
    later = LatestChanges(2, former.all())
    later.add(_change("d"))
    assert _names(seen.take(later.all())) == ["c", "d"]
    assert seen.missed == 0


def test_what_was_gone_before_it_looked_is_counted() -> None:
    latest, seen = LatestChanges(1), ChangesSeen()
    seen.begin(())
    latest.add(_change("first"))
    seen.take(latest.all())
    for number in range(CHANGES_MAX + 5):
        latest.add(_change(str(number)))
    assert len(seen.take(latest.all())) == CHANGES_MAX
    assert seen.missed == 5


def test_what_nobody_has_said_anew_for_too_long_is_blind() -> None:
    said = HealthStanding(score=100.0, stale_after_s=17.0)
    assert (said.age_s, said.blind) == (0.0, "")
    fresh, old = said.aged(17.0), said.aged(17.1)
    assert (fresh.age_s, fresh.blind, fresh.score) == (17.0, "", 100.0)
    assert (old.age_s, old.blind[:29]) == (17.1, "nobody has said for 17 s how ")
    assert replace(said, blind="cut off").aged(99.0).blind == "cut off"
