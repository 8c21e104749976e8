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

    def emit_all(self, table: str, rows: Sequence[tuple[object, ...]]) -> object:
        """Take several rows of one table; never blocks."""
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
        pool, client = self._pool, self._client
        rows: list[tuple[object, ...]] = []
        for task, outcome in ended:
            error = outcome.error
            rows.append(
                (
                    task.task_id,
                    task.key,
                    task.name,
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
                    task.trace_id,
                    task.span_id,
                    task.parent_span_id or None,
                    task.attempt_span_id,
                )
            )
        self._sink.emit_all("tasks", rows)

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
                record.trace_id,
                record.span_id,
                record.parent_span_id,
            ),
        )

    def _text(self, error: BaseException) -> str:
        return self._scrubber.clean(str(error))
