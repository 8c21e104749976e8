"""A job stands in the agenda once, at the earliest time that was asked for."""

from __future__ import annotations

from actors.breaker.agenda import Agenda


def test_jobs_leave_when_they_are_due_the_earliest_first():
    agenda: Agenda[str] = Agenda()
    assert [agenda.set("late", 3.0), agenda.set("early", 1.0), agenda.set("middle", 2.0)] == [True, True, False]
    assert agenda.next_at() == 1.0
    assert agenda.take_due(0.5) == []
    assert agenda.take_due(2.0) == ["early", "middle"]
    assert (len(agenda), agenda.next_at()) == (1, 3.0)


def test_the_earlier_time_of_a_job_holds_and_the_later_one_is_forgotten():
    agenda: Agenda[str] = Agenda()
    agenda.set("a", 5.0)
    assert agenda.set("a", 7.0) is False
    assert agenda.set("a", 2.0) is True
    assert agenda.take_due(10.0) == ["a"]
    assert (agenda.next_at(), agenda.take_due(10.0)) == (None, [])


def test_a_job_that_left_may_come_again_earlier_or_later():
    agenda: Agenda[str] = Agenda()
    agenda.set("a", 1.0)
    agenda.take_due(1.0)
    agenda.set("a", 9.0)
    assert agenda.next_at() == 9.0
    agenda.clear()
    assert (len(agenda), agenda.next_at()) == (0, None)
