"""The monitor knows when it does not see."""

from __future__ import annotations

from actors.health.settings import MonitorSettings
from actors.health.sight import LATE_S, Sight


def test_only_who_was_late_for_longer_than_usual_did_not_look() -> None:
    sight = Sight(MonitorSettings(blind_after_s=2.0))
    assert sight.gap_s(last=10.0, due=None, now=100.0) == 0.0
    assert sight.gap_s(last=10.0, due=11.0, now=11.0 + LATE_S) == 0.0
    assert sight.gap_s(last=10.0, due=11.0, now=13.0) == 2.0
    assert sight.gap_s(last=10.0, due=11.0, now=13.5) == 2.5
    assert sight.gap_s(last=13.0, due=11.0, now=13.2) == 0.0, "it did something in between"


def test_one_place_alone_says_nothing_of_the_monitor() -> None:
    sight = Sight(MonitorSettings())
    assert not sight.see("a", reached=False)
    assert not sight.see("", reached=False)
    assert not sight.cut_off


def test_enough_of_several_places_do_and_it_ends() -> None:
    sight = Sight(MonitorSettings(cut_off_share=0.6))
    assert [sight.see(place, reached=True) for place in "abc"] == [False] * 3
    assert [sight.see("a", reached=False), sight.see("b", reached=False)] == [False, True]
    assert (sight.cut_off, str(sight)) == (True, "2 of 3 places cannot be reached")
    assert not sight.see("b", reached=False)
    assert sight.see("b", reached=True)
    assert not sight.cut_off


def test_places_that_are_gone_count_no_more() -> None:
    sight = Sight(MonitorSettings())
    sight.see("a", reached=True)
    assert sight.see("b", reached=False)
    assert sight.forget(frozenset({"a"}))
    assert not sight.cut_off


def test_who_is_not_there_counts_no_more() -> None:
    sight = Sight(MonitorSettings())
    sight.see("a", reached=False)
    assert sight.see("b", reached=False)
    assert sight.leave("a")
    assert not sight.leave("a")
    assert not sight.cut_off
