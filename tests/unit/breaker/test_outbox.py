from __future__ import annotations

import pytest

from actors.breaker import messages as m
from actors.breaker import outbox
from actors.breaker.outbox import CALM_S_MAX, CALM_S_MIN, REPORTS_PER_S, Outbox, is_calm
from tests.unit.breaker.scene import BAD, GOOD, LATE


def report(outcomes: bytes = GOOD, *, generation: int = 1, **more) -> m.OutcomesReported:
    return m.OutcomesReported(reporter="p", generation=generation, outcomes=outcomes, **more)


ASK = m.PermitRequested(holder="p", request=1)


def test_what_may_change_something_goes_at_once_with_what_came_before_it():
    box = Outbox()
    box.add("a", [report(), report(BAD)], 5.0)
    box.add("b", [report()], 5.0)
    assert box.is_urgent
    assert box.take(5.0) == [("a", report(GOOD + BAD))]
    assert not box.is_urgent
    assert box.take(5.0) == []
    assert len(box) == 1


def test_successes_wait_longer_the_more_breakers_report():
    box = Outbox()
    for number in range(100):
        box.add(f"n{number}", [report()], 5.0)
    assert box.due_at() == pytest.approx(5.0 + 100 / REPORTS_PER_S)
    assert box.take(5.9) == []
    assert len(box.take(6.0)) == 100
    assert box.due_at() is None
    for number in range(5000):
        box.add(f"n{number}", [report()], 7.0)
    assert box.due_at() == 7.0 + CALM_S_MAX
    few = Outbox()
    few.add("a", [report()], 5.0)
    assert few.due_at() == 5.0 + CALM_S_MIN


def test_what_somebody_wants_to_see_is_sent_at_once():
    box = Outbox()
    box.add("a", [report()], 5.0)
    box.hurry("b")
    assert box.take(5.0) == []
    box.hurry("a")
    assert box.take(5.0) == [("a", report())]


def test_reports_of_one_generation_travel_as_one():
    box = Outbox()
    box.add("a", [report(durations=b"\3", refused=1), report(durations=b"\3\4", neutral=2)], 5.0)
    box.add("a", [report(generation=2)], 5.0)
    assert box.take(6.0) == [
        ("a", report(GOOD * 2, durations=b"\3\3\4", refused=1, neutral=2)),
        ("a", report(generation=2)),
    ]


def test_the_order_of_one_breaker_is_kept():
    box = Outbox()
    box.add("a", [report(), ASK, report()], 5.0)
    assert box.take(5.0) == [("a", report()), ("a", ASK), ("a", report())]


def test_too_much_leaves_untold_and_all_does_when_nobody_can_be_told(monkeypatch):
    monkeypatch.setattr(outbox, "EVENTS_MAX", 2)
    box = Outbox()
    asks = [m.PermitRequested(holder="p", request=number) for number in range(3)]
    assert box.add("a", asks, 5.0) == [("a", asks[0])]
    assert box.drain() == [("a", asks[1]), ("a", asks[2])]
    assert (len(box), box.due_at()) == (0, None)


def test_slow_calls_and_requests_are_not_calm():
    assert is_calm(report())
    assert is_calm(report(b"", refused=3))
    assert [is_calm(each) for each in (report(LATE), report(BAD), ASK)] == [False] * 3
