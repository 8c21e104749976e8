from __future__ import annotations

import json

import pytest

from actors.event_log.query import run_query
from actors.event_log.span_rows import spans_of

START_US = 1_700_000_000_000_000


def earlier(**changes):
    row = {"task_id": "t1", "attempt": 1, "outcome": "lost", "error_type": None, "error_text": None}
    row |= {"worker": "w0", "started_at": START_US, "ended_at": START_US + 9, "run_us": 9}
    row |= {"trace_id": "ab", "span_id": "9", "parent_span_id": "1"}
    return tuple((row | changes).values())


def recorded(**changes):
    row = {"trace_id": 5, "span_id": 6, "parent_span_id": None, "name": "adopt", "kind": "supervision"}
    row |= {"started_at": START_US, "ended_at": START_US + 1, "status": "ok", "attributes": '{"n": 1, "deep": [1]}'}
    return tuple((row | changes).values())


def test_a_task_has_a_span_and_its_last_attempt_another_below_it(batch_of, task_row):
    task, attempt = spans_of(batch_of(1, task_row(parent_span_id=0x77, pool="p")))
    assert (task.trace_id, task.span_id, task.parent_span_id, task.kind) == (0xAB, 1, 0x77, "task")
    assert (task.started_us, task.ended_us, task.failure) == (START_US, START_US + 200, "")
    assert dict(task.attributes) == {"task_id": "t1", "state": "done", "pool": "p", "attempts": 1}
    assert (attempt.parent_span_id, attempt.span_id, attempt.name) == (1, 2, "attempt 1")
    assert (attempt.started_us, attempt.ended_us) == (START_US + 100, START_US + 150)


def test_an_attempt_whose_run_time_is_unknown_ends_with_its_task(batch_of, task_row):
    _, attempt = spans_of(batch_of(1, task_row(run_us=None, state="timeout")))
    assert (attempt.ended_us, attempt.failure) == (START_US + 200, "timeout")


@pytest.mark.parametrize("changes", [{"trace_id": None}, {"span_id": None}])
def test_a_task_without_a_trace_has_no_spans(batch_of, task_row, changes):
    assert list(spans_of(batch_of(1, task_row(**changes)))) == []


@pytest.mark.parametrize("changes", [{"attempts": 0}, {"attempt_span_id": None}])
def test_a_task_that_never_started_has_only_its_own_span(batch_of, task_row, changes):
    (task,) = spans_of(batch_of(1, task_row(name=None, **changes)))
    assert (task.name, task.kind) == ("task", "task")


def test_a_failure_is_told_with_its_error(batch_of, task_row):
    task, _ = spans_of(batch_of(1, task_row(state="failed", error_type="OSError", error_text=None)))
    assert task.failure == "OSError: "


def test_an_earlier_attempt_is_a_span(batch_of):
    (attempt,) = spans_of(batch_of(1, earlier(), table="earlier_attempts"))
    assert (attempt.span_id, attempt.parent_span_id, attempt.failure) == (9, 1, "lost")
    assert list(spans_of(batch_of(1, earlier(trace_id=None), table="earlier_attempts"))) == []


@pytest.mark.parametrize(
    ("changes", "failure", "attributes"),
    [
        ({}, "", {"n": 1, "deep": "[1]"}),
        ({"status": "error", "attributes": None}, "error", {}),
        ({"status": None, "attributes": "not json"}, "", {"attributes": "not json"}),
        ({"attributes": "[1]"}, "", {"attributes": "[1]"}),
    ],
)
def test_a_recorded_span_is_itself(batch_of, changes, failure, attributes):
    (span,) = spans_of(batch_of(1, recorded(**changes), table="recorded_spans"))
    assert (span.name, span.kind, span.failure, dict(span.attributes)) == ("adopt", "supervision", failure, attributes)


def test_other_tables_have_no_spans(batch_of):
    assert list(spans_of(batch_of(1, ("a",) * 10, table="children"))) == []


def test_the_view_tells_the_same_spans(store, batch_of, task_row):
    batches = [
        batch_of(1, task_row(attempts=2, state="failed"), task_row("t2", attempts=0)),
        batch_of(2, earlier(trace_id=0xAB, span_id=9, parent_span_id=1), table="earlier_attempts"),
        batch_of(3, recorded(attributes=json.dumps({"n": 1})), table="recorded_spans"),
    ]
    store.append(batches)
    viewed = run_query(
        store.reader(), "SELECT trace_id, span_id, parent_span_id, name, kind, epoch_us(ended_at) ended_us FROM spans"
    )
    exported = [
        {
            "trace_id": f"{span.trace_id:032x}",
            "span_id": f"{span.span_id:016x}",
            "parent_span_id": f"{span.parent_span_id:016x}" if span.parent_span_id else None,
            "name": span.name,
            "kind": span.kind,
            "ended_us": span.ended_us,
        }
        for batch in batches
        for span in spans_of(batch)
    ]
    assert sorted(viewed, key=str) == sorted(exported, key=str)
