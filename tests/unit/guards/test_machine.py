"""A guard that is out, stale, silent or unreadable stops the run; nothing else does."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from experiments.guards.machine import GuardFailed, GuardRead, GuardsMachine, ReadGuard, StopRun, TimePassed
from experiments.model.safety import Guard


def guard(name: str = "g", **changed: Any) -> Guard:
    fields = {"name": name, "probe": "health_score", "tolerance": [50, 100], "every_s": 1, "stale_s": 5, **changed}
    return Guard.parse(fields, source="t")


def machine(*guards: Guard) -> GuardsMachine:
    return GuardsMachine(guards or (guard(),), now=0.0)


ASKED = [ReadGuard(guard="g")]


def stop(words: str) -> list[StopRun]:
    return [StopRun(why=words)]


def test_it_is_asked_all_along_and_never_twice_at_a_time() -> None:
    guards = machine()
    assert guards.next_timer() == 0.0
    assert guards.handle(TimePassed(), 0.0) == ASKED
    assert guards.handle(TimePassed(), 0.5) == []
    assert guards.next_timer() == 5.0
    assert guards.handle(GuardRead(guard="g", value=80), 0.6) == []
    assert guards.next_timer() == 1.0
    assert guards.handle(TimePassed(), 1.0) == ASKED


def test_out_of_tolerance_so_often_in_a_row() -> None:
    guards = machine(guard(times=2))
    for value, expected in ((40, []), (80, []), (40, []), (40, stop("guard g: 40, 50 to 100 is expected"))):
        assert [c for c in guards.handle(GuardRead(guard="g", value=value), 0.0) if isinstance(c, StopRun)] == expected
    assert guards.handle(GuardRead(guard="g", value=0), 1.0) == []
    assert guards.next_timer() is None


def test_silence_and_failures_stop_it_when_the_last_look_is_too_old() -> None:
    guards = machine()
    guards.handle(TimePassed(), 0.0)
    guards.handle(GuardRead(guard="g", value=80), 1.0)
    guards.handle(GuardFailed(guard="g", reason="no monitor"), 2.0)
    assert guards.next_timer() == 6.0
    (found,) = guards.handle(TimePassed(), 6.0)
    assert found == StopRun(why="guard g has not been read for 5 s, and 5 is its limit; last: no monitor")


def test_a_value_counts_from_when_it_was_true() -> None:
    guards = machine()
    guards.handle(GuardRead(guard="g", value=80, age_s=4.0), 4.0)
    (found,) = guards.handle(TimePassed(), 5.0)
    assert isinstance(found, StopRun)


def test_what_cannot_be_judged_stops_it_at_once() -> None:
    assert machine().handle(GuardRead(guard="g", value=None), 0.1) == stop("guard g cannot be read: None is no number")


def test_without_guards_nothing_is_asked_and_strangers_are_passed_over() -> None:
    none = GuardsMachine((), now=0.0)
    assert (none.handle(TimePassed(), 9.0), none.next_timer()) == ([], None)
    assert machine().handle(GuardRead(guard="x", value=0), 0.0) == ASKED


def test_when_it_is_woken_for_a_guard_that_is_stale_it_stops() -> None:
    """4.06 + 4 is 8.059999999999999, and that minus 4.06 is less than 4."""
    guards = machine(guard(stale_s=4))
    guards.handle(GuardRead(guard="g", value=80), 4.06)
    due = min(each for each in (guards.next_timer(), 4.06 + 4) if each is not None and each > 6)
    assert isinstance(guards.handle(TimePassed(), due)[0], StopRun)


@given(st.lists(st.tuples(st.floats(0, 3), st.sampled_from(["good", "bad", "silent", "failed"])), max_size=30))
def test_no_run_goes_on_with_a_guard_that_was_not_good_for_long(steps: list[tuple[float, str]]) -> None:
    guards, now, good_at, stopped = machine(guard(times=3)), 0.0, 0.0, False
    bad = 0
    for wait_s, what in steps:
        now += wait_s
        match what:
            case "good":
                event, fresh = GuardRead(guard="g", value=80), True
            case "bad":
                event, fresh = GuardRead(guard="g", value=0), True
            case "failed":
                event, fresh = GuardFailed(guard="g", reason="x"), False
            case _:
                event, fresh = TimePassed(), False
        told = guards.handle(event, now)
        if stopped:
            assert told == []
            continue
        bad = bad + 1 if what == "bad" else 0 if what == "good" else bad
        good_at = now if fresh else good_at
        stopped = any(isinstance(command, StopRun) for command in told)
        assert stopped == (now >= good_at + 5 or bad >= 3)
