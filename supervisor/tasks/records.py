"""A caller's rows for the event log: one per ended task, one per attempt that another one followed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from actors.breaker.errors import CircuitOpenError
from actors.breaker.spans import span_of

if TYPE_CHECKING:
    from actors.runtime.clock import Clock
    from actors.runtime.scrub import Scrubber
    from supervisor.tasks.commands import RecordAttempt
    from supervisor.tasks.task import Outcome, Task


_REFUSAL = 0x5EED_0F_A_FA11ED
"""What the span id of a refusal differs by from its attempt's."""


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
            if isinstance(error, CircuitOpenError):
                self._refusal(error, task.trace_id, task.attempt_span_id, ended_us)
        self._sink.emit_all("tasks", rows)

    def attempt(self, record: RecordAttempt) -> None:
        """This attempt ended badly, and another one follows."""
        outcome = record.outcome
        error = outcome.error
        if isinstance(error, CircuitOpenError):
            self._refusal(error, record.trace_id, record.span_id, self._clock.wall_us())
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

    def _refusal(self, error: CircuitOpenError, trace_id: int, attempt_span_id: int, at_us: int) -> None:
        """A breaker refused the attempt: a span below it, linked to the transition that the breaker refuses by."""
        cause_trace_id, cause_span_id = span_of(error.name, error.generation)
        attributes = {
            "breaker": error.name,
            "state": error.state,
            "by_itself": error.by_itself,
            "retry_after_s": round(error.retry_after_s, 3),
            "links": [{"trace_id": f"{cause_trace_id:032x}", "span_id": f"{cause_span_id:016x}"}],
        }
        span_id = (attempt_span_id ^ _REFUSAL) or 1
        told = f"refused by breaker {error.name}"
        row = (trace_id, span_id, attempt_span_id, told, "refusal", at_us, at_us, "error", json.dumps(attributes))
        self._sink.emit("recorded_spans", row)

    def _text(self, error: BaseException) -> str:
        return self._scrubber.clean(str(error))
