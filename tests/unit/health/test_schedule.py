"""Probes are spread over their interval and keep their beat."""

from __future__ import annotations

from actors.health.schedule import Schedule


def test_the_first_beat_comes_within_one_interval_after_the_delay() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.add("a", interval_s=2.0, delay_s=5.0, now=100.0)
    schedule.add("b", interval_s=2.0, delay_s=5.0, now=100.0)
    first = schedule.next_at()
    assert first is not None
    assert 105.0 <= first < 107.0
    assert schedule.due(107.0) == ["b", "a"]
    assert schedule.due(107.0) == []


def test_many_are_spread_evenly() -> None:
    schedule: Schedule[int] = Schedule()
    for number in range(1000):
        schedule.add(number, interval_s=1.0, delay_s=0.0, now=0.0)
    per_tenth = [len(schedule.due(tenth / 10)) for tenth in range(1, 11)]
    assert sum(per_tenth) == 1000
    assert max(per_tenth) - min(per_tenth) <= 10


def test_what_is_late_is_due_once_and_keeps_its_beat() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.add("a", interval_s=1.0, delay_s=0.0, now=0.0)
    assert schedule.due(0.5) == ["a"]
    assert schedule.due(7.9) == ["a"]
    assert schedule.next_at() == 8.5
    assert schedule.due(8.5) == ["a"]
    assert schedule.next_at() == 9.5


def test_what_is_removed_or_replaced_is_due_no_more_on_its_former_beat() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.add("a", interval_s=1.0, delay_s=0.0, now=0.0)
    schedule.add("b", interval_s=1.0, delay_s=0.0, now=0.0)
    schedule.remove("a")
    schedule.remove("nobody")
    assert len(schedule) == 1
    assert schedule.due(5.0) == ["b"]
    schedule.add("b", interval_s=1.0, delay_s=50.0, now=5.0)
    assert schedule.due(50.0) == []
    schedule.remove("b")
    assert schedule.next_at() is None


def test_what_went_leaves_no_growing_heap() -> None:
    schedule: Schedule[int] = Schedule()
    for number in range(10_000):
        schedule.add(number, interval_s=1.0, delay_s=0.0, now=0.0)
        schedule.remove(number)
    assert len(schedule._heap) < 100
