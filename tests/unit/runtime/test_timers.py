"""Timers come due in order, and those that mean nothing any more do not pile up."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from actors.runtime.timers import BUCKET_S, SWEEP_FROM, Timer, Timers


def _timers(done: set[int] | None = None) -> Timers[str, int]:
    return Timers(lambda timer: timer.subject not in (done or set()))


def _due(timers: Timers[str, int], now: float) -> list[tuple[str, int]]:
    due: list[tuple[str, int]] = []
    while (timer := timers.take_due(now)) is not None:
        due.append((timer.kind, timer.subject))
    return due


def test_timers_are_due_at_their_time_and_in_the_order_set() -> None:
    timers = _timers()
    for at, kind, subject in [(3.0, "c", 1), (1.0, "a", 2), (2.0, "b", 3), (1.0, "a", 4)]:
        timers.set(at, kind, subject)
    assert timers.next_at() == 1.0
    assert _due(timers, 0.9) == []
    assert _due(timers, 2.0) == [("a", 2), ("a", 4), ("b", 3)]
    assert timers.next_at() == 3.0
    assert list(timers) == [Timer(3.0, 0, "c", 1)]
    assert _due(timers, 9.0) == [("c", 1)]
    assert timers.next_at() is None


def test_timers_far_ahead_do_not_keep_what_has_ended() -> None:
    """A million tasks with a deadline of an hour, each done at once, hold no million timers."""
    done: set[int] = set()
    timers = _timers(done)
    for number in range(20 * SWEEP_FROM):
        timers.set(3600.0 + number, "deadline", number)
        if number > 5:
            done.add(number)
    assert len(timers) <= SWEEP_FROM
    assert [subject for _, subject in _due(timers, 3605.0)] == [0, 1, 2, 3, 4, 5]


def test_a_sweep_keeps_whatever_means_something() -> None:
    timers = _timers()
    for number in range(3 * SWEEP_FROM):
        timers.set(float(-number), "x", number)
    assert [subject for _, subject in _due(timers, 0.0)] == list(reversed(range(3 * SWEEP_FROM)))


MOMENTS = st.one_of(
    st.floats(0.0, 4 * BUCKET_S),
    st.integers(-3, 12).map(lambda number: number * BUCKET_S),
    st.sampled_from([1e11, 1e13, math.inf]),
)


@given(st.lists(st.one_of(MOMENTS.map(lambda at: ("set", at)), MOMENTS.map(lambda now: ("take", now)))))
def test_whatever_is_set_in_between_each_is_due_in_its_turn(steps: list[tuple[str, float]]) -> None:
    timers, expected = _timers(), list[tuple[float, int]]()
    for number, (step, at) in enumerate(steps):
        if step == "set":
            timers.set(at, "x", number)
            expected.append((at, number))
        else:
            due = sorted(each for each in expected if each[0] <= at)
            assert _due(timers, at) == [("x", number) for _, number in due]
            expected = sorted(each for each in expected if each[0] > at)
        assert len(timers) == len(expected)
        assert sorted((timer.at, timer.subject) for timer in timers) == sorted(expected)
        assert timers.next_at() == (min(expected)[0] if expected else None)


def test_those_of_one_later_quarter_of_a_second_are_due_in_order_however_they_were_set() -> None:
    """Also where an earlier quarter comes between, and when that one was the earliest already."""
    timers = _timers()
    later = [8 * BUCKET_S + step * BUCKET_S / 64 for step in (40, 9, 63, 1, 22, 5, 0, 31)]
    timers.set(0.0, "x", -1)
    for number, at in enumerate(later):
        timers.set(at, "x", number)
    in_order = [number for _, number in sorted(zip(later, range(len(later)), strict=True))]
    assert _due(timers, later[6]) == [("x", -1), ("x", in_order[0])]
    timers.set(BUCKET_S, "x", -2)  # the later ones wait again, as a heap now
    timers.set(8 * BUCKET_S + BUCKET_S / 128, "x", -3)
    assert timers.next_at() == BUCKET_S
    assert _due(timers, 9 * BUCKET_S) == [("x", number) for number in (-2, -3, *in_order[1:])]
