"""Time at each level, what was off, and how long it took to be well again."""

from __future__ import annotations

from actors.degradation.statistics import Tally

LEVELS = ("full", "reduced", "minimal")


def test_times_and_recoveries_add_up() -> None:
    tally = Tally(LEVELS, now=0.0)
    tally.turn("reduced", ["chat"], 10.0)
    tally.turn("minimal", ["chat", "search"], 20.0)
    tally.turn("full", [], 50.0)
    tally.turn("reduced", ["chat"], 60.0)
    tally.turn("full", [], 70.0)
    told = tally.statistics(100.0)
    assert told.level_s == {"full": 50.0, "reduced": 20.0, "minimal": 30.0}
    assert told.disabled_s == {"chat": 50.0, "search": 30.0}
    assert (told.since_s, told.changes, told.recoveries, told.recovery_s) == (100.0, 5, 2, 25.0)
    assert told.disabled == ()


def test_what_changes_within_a_level_is_no_change_of_it() -> None:
    tally = Tally(LEVELS, now=0.0)
    tally.turn("full", ["chat"], 1.0)
    told = tally.statistics(3.0)
    assert (told.changes, told.recovery_s, told.disabled, told.disabled_s) == (0, None, ("chat",), {"chat": 2.0})
    tally.forget("chat")
    assert tally.statistics(5.0).disabled_s == {}


def test_a_clock_that_steps_back_adds_nothing() -> None:
    tally = Tally(LEVELS, now=10.0)
    tally.settle(5.0)
    assert tally.statistics(12.0).level_s["full"] == 2.0


def test_a_later_life_counts_on() -> None:
    first = Tally(LEVELS, now=0.0)
    first.turn("reduced", ["chat"], 10.0)
    kept = first.statistics(20.0).aged("reduced", 5.0)
    assert kept.degraded_s == 15.0
    second = Tally(LEVELS, now=1000.0)
    second.resume(kept, "reduced", 1000.0)
    second.turn("reduced", ["chat"], 1000.0)
    second.turn("full", [], 1005.0)
    told = second.statistics(1010.0)
    assert told.level_s == {"full": 15.0, "reduced": 20.0, "minimal": 0.0}
    assert told.disabled_s == {"chat": 20.0}
    assert (told.since_s, told.changes, told.recoveries, told.recovery_s) == (35.0, 2, 1, 20.0)
    assert told.degraded_s is None
