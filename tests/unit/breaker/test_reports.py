"""A batch leaves by size or age, tells everything once, and never grows without bound."""

from __future__ import annotations

from actors.breaker.latency import bucket_of
from actors.breaker.messages import OutcomesReported, Sample
from actors.breaker.reports import PENDING_MAX, REPORT_CALLS, REPORT_S, SAMPLES_MAX, Reports

SAMPLE = Sample(reporter="p", error="broken")


def test_a_batch_tells_everything_once() -> None:
    reports = Reports("p")
    reports.add(b"\0\1", 1.0)
    reports.add(b"\0", 2.0)
    reports.add_duration(0.5)
    reports.add_sample(SAMPLE)
    reports.add_refused(3.0)
    reports.add_neutral(3.0)
    assert reports.take(7) == OutcomesReported(
        reporter="p",
        generation=7,
        outcomes=b"\0\1\0",
        durations=bytes([bucket_of(0.5)]),
        refused=1,
        neutral=1,
        samples=(SAMPLE,),
    )
    assert reports.take(7) is None


def test_it_is_due_a_while_after_its_first_call() -> None:
    reports = Reports("p")
    assert reports.due_at() is None
    reports.add(b"\0", 1.0)
    reports.add(b"\0", 1.04)
    assert reports.due_at() == 1.0 + REPORT_S
    reports.take(7)
    assert reports.due_at() is None
    reports.add_refused(9.0)
    assert reports.due_at() == 9.0 + REPORT_S


def test_it_is_full_at_its_size() -> None:
    reports = Reports("p")
    reports.add(bytes(REPORT_CALLS - 1), 0.0)
    assert not reports.is_full
    reports.add(b"\0", 0.0)
    assert reports.is_full


def test_while_nobody_can_be_told_the_oldest_leave() -> None:
    reports = Reports("p")
    reports.add(b"\1" * 3, 0.0)
    reports.add(bytes(PENDING_MAX), 0.0)
    assert reports.dropped == 3
    event = reports.take(1)
    assert event is not None
    assert event.outcomes == bytes(PENDING_MAX)


def test_the_first_few_failures_are_told() -> None:
    reports = Reports("p")
    reports.add(b"\1", 0.0)
    for _ in range(SAMPLES_MAX + 3):
        reports.add_sample(SAMPLE)
    event = reports.take(1)
    assert event is not None
    assert len(event.samples) == SAMPLES_MAX


def test_a_generation_that_is_over_leaves_only_what_was_refused() -> None:
    reports = Reports("p")
    reports.add(b"\1", 0.0)
    reports.add_duration(1.0)
    reports.add_sample(SAMPLE)
    reports.add_refused(0.0)
    reports.forget()
    assert reports.take(2) == OutcomesReported(reporter="p", generation=2, refused=1)


def test_a_generation_that_is_over_leaves_nothing_where_nothing_was_refused() -> None:
    reports = Reports("p")
    reports.add(b"\1", 0.0)
    reports.forget()
    assert (reports.due_at(), reports.take(2)) == (None, None)


def test_a_new_owner_is_told_the_window_instead_of_the_rest_of_it() -> None:
    reports = Reports("p")
    reports.add(b"\1", 0.0)
    reports.replace(b"\0\0\1", 1.0)
    event = reports.take(2)
    assert event is not None
    assert event.outcomes == b"\0\0\1"
