"""A caller's rows for the event log: one per ended task, one per attempt that another one followed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from actors.runtime.clock import Clock
    from actors.runtime.scrub import Scrubber
    from supervisor.tasks.commands import RecordAttempt
    from supervisor.tasks.task import Outcome, Task


class RowSink(Protocol):
    """Where rows go; the emitter is one."""

    def emit(self, table: str, row: tuple[object, ...]) -> object:
        """Take one row; never blocks."""
        ...


class TaskRecorder:
    """Writes what became of tasks. Arguments and results are never written; exception texts are scrubbed."""

    def __init__(self, sink: RowSink, *, pool: str, client: str, clock: Clock, scrubber: Scrubber) -> None:
        self._sink = sink
        self._pool = pool
        self._client = client
        self._clock = clock
        self._scrubber = scrubber

    def ended(self, ended: Sequence[tuple[Task, Outcome]]) -> None:
        """These tasks have ended."""
        ended_us = self._clock.wall_us()
        emit, pool, client = self._sink.emit, self._pool, self._client
        for task, outcome in ended:
            error = outcome.error
            span = task.span_id
            emit(
                "tasks",
                (
                    task.task_id,
                    task.key,
                    task.callee.name,
                    pool,
                    client,
                    outcome.kind,
                    None if error is None else type(error).__name__,
                    None if error is None else self._text(error),
                    task.submitted_us,
                    ended_us,
                    task.attempt,
                    outcome.worker,
                    task.attempt_us or None,
                    outcome.run_us,
                    f"{task.trace_id:032x}",
                    f"{span:016x}",
                    f"{task.parent_span_id:016x}" if task.parent_span_id else None,
                    f"{task.attempt_span_id:016x}",
                ),
            )

    def attempt(self, record: RecordAttempt) -> None:
        """This attempt ended badly, and another one follows."""
        outcome = record.outcome
        error = outcome.error
        self._sink.emit(
            "earlier_attempts",
            (
                record.task_id,
                record.attempt,
                outcome.kind,
                None if error is None else type(error).__name__,
                None if error is None else self._text(error),
                outcome.worker,
                record.started_us,
                self._clock.wall_us(),
                outcome.run_us,
                f"{record.trace_id:032x}",
                f"{record.span_id:016x}",
                f"{record.parent_span_id:016x}",
            ),
        )

    def _text(self, error: BaseException) -> str:
        return self._scrubber.clean(str(error))
