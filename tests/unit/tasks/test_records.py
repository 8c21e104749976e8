"""What the log learns of a task: how it ended, never what it was given or returned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from actors.runtime.scrub import Scrubber
from supervisor.tasks.commands import RecordAttempt
from supervisor.tasks.policy import Policy
from supervisor.tasks.records import TaskRecorder
from supervisor.tasks.task import Callee, Outcome, Task


class Sink:
    """Keeps the rows."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, tuple[object, ...]]] = []

    def emit(self, table: str, row: tuple[object, ...]) -> None:
        self.rows.append((table, row))

    def emit_all(self, table: str, rows: Sequence[tuple[object, ...]]) -> None:
        self.rows.extend((table, row) for row in rows)


class Clock:
    """A clock that stands at 99 us."""

    def now(self) -> float:
        return 0.0

    def now_ns(self) -> int:
        return 0

    def wall_us(self) -> int:
        return 99


def _recorder() -> tuple[TaskRecorder, Sink]:
    sink = Sink()
    return TaskRecorder(sink, pool="p", client="c", clock=Clock(), scrubber=Scrubber()), sink


def _task(**more: Any) -> Task:
    task = Task(
        number=1,
        task_id="c-1",
        key="k",
        callee=Callee(digest=b"", name="m.f"),
        arguments=b"secret arguments",
        refs=[],
        policy=Policy(),
        submitted_us=10,
        trace_id=1,
        span_id=2,
        **more,
    )
    task.attempt = 2
    return task


def test_a_task_that_is_done_costs_one_row_without_its_result() -> None:
    recorder, sink = _recorder()
    task = _task()
    task.attempt_us = 50
    recorder.ended([(task, Outcome("done", payload=b"secret result", run_us=7, worker="w0"))])
    row = (
        "c-1",
        "k",
        "m.f",
        "p",
        "c",
        "done",
        None,
        None,
        10,
        99,
        2,
        "w0",
        50,
        7,
        1,
        2,
        None,
        task.attempt_span_id,
    )
    assert sink.rows == [("tasks", row)]


def test_a_failure_is_told_by_type_and_scrubbed_text() -> None:
    recorder, sink = _recorder()
    task = _task(parent_span_id=5)
    recorder.ended([(task, Outcome("failed", error=ValueError("password=hunter2"), worker="w0"))])
    row = sink.rows[0][1]
    assert row[5:8] == ("failed", "ValueError", "password=***")
    assert row[12] is None, "it was never sent: its last attempt has no start"
    assert row[16] == 5


def test_an_earlier_attempt_costs_one_row() -> None:
    recorder, sink = _recorder()
    outcome = Outcome("failed", error=KeyError("token=t"), run_us=7, worker="w0")
    recorder.attempt(RecordAttempt("c-1", 1, outcome, 50, 1, 3, 2))
    recorder.attempt(RecordAttempt("c-1", 2, Outcome("lost"), 60, 1, 4, 2))
    assert sink.rows == [
        (
            "earlier_attempts",
            ("c-1", 1, "failed", "KeyError", "'token=***'", "w0", 50, 99, 7, 1, 3, 2),
        ),
        ("earlier_attempts", ("c-1", 2, "lost", None, None, "", 60, 99, 0, 1, 4, 2)),
    ]
