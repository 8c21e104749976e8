"""The spans in a committed batch, for export: the same that the view `spans` reads out of the tables. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from actors.event_log.schema import EARLIER_ATTEMPTS, RECORDED_SPANS, TABLES, TASKS
from actors.runtime.batches import Batch
from actors.telemetry.span import SpanRow


def spans_of(batch: Batch) -> Iterator[SpanRow]:
    """The spans of the batch's tasks, attempts and recorded spans; rows without a trace have none."""
    for name, columns in batch.tables.items():
        read = _READERS.get(name)
        if read is None:
            continue
        fields = [column.name for column in TABLES[name].columns]
        for values in zip(*columns, strict=True):
            yield from read(dict(zip(fields, values, strict=True)))


def _task(row: dict[str, Any]) -> Iterator[SpanRow]:
    if row["trace_id"] is None or row["span_id"] is None:
        return
    trace_id, span_id = _id(row["trace_id"]), _id(row["span_id"])
    yield SpanRow(
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=_optional_id(row["parent_span_id"]),
        name=row["name"] or "task",
        kind="task",
        started_us=row["submitted_at"],
        ended_us=row["ended_at"],
        failure=_failure(row, row["state"]),
        attributes=_present(task_id=row["task_id"], state=row["state"], pool=row["pool"], attempts=row["attempts"]),
    )
    if row["attempts"] and row["attempt_span_id"] is not None:
        started, run_us = row["attempt_at"], row["run_us"]
        yield SpanRow(
            trace_id=trace_id,
            span_id=_id(row["attempt_span_id"]),
            parent_span_id=span_id,
            name=f"attempt {row['attempts']}",
            kind="attempt",
            started_us=started,
            ended_us=row["ended_at"] if started is None or run_us is None else started + run_us,
            failure=_failure(row, row["state"]),
            attributes=_present(task_id=row["task_id"], outcome=row["state"], worker=row["worker"]),
        )


def _earlier_attempt(row: dict[str, Any]) -> Iterator[SpanRow]:
    if row["trace_id"] is None or row["span_id"] is None:
        return
    yield SpanRow(
        trace_id=_id(row["trace_id"]),
        span_id=_id(row["span_id"]),
        parent_span_id=_optional_id(row["parent_span_id"]),
        name=f"attempt {row['attempt']}",
        kind="attempt",
        started_us=row["started_at"],
        ended_us=row["ended_at"],
        failure=_failure(row, row["outcome"]),
        attributes=_present(task_id=row["task_id"], outcome=row["outcome"], worker=row["worker"]),
    )


def _recorded(row: dict[str, Any]) -> Iterator[SpanRow]:
    yield SpanRow(
        trace_id=_id(row["trace_id"]),
        span_id=_id(row["span_id"]),
        parent_span_id=_optional_id(row["parent_span_id"]),
        name=row["name"],
        kind=row["kind"] or "",
        started_us=row["started_at"],
        ended_us=row["ended_at"],
        failure="" if row["status"] in (None, "ok") else str(row["status"]),
        attributes=_attributes(row["attributes"]),
    )


_READERS = {TASKS.name: _task, EARLIER_ATTEMPTS.name: _earlier_attempt, RECORDED_SPANS.name: _recorded}


def _failure(row: dict[str, Any], state: str) -> str:
    if state == "done":
        return ""
    return f"{row['error_type']}: {row['error_text'] or ''}" if row["error_type"] else state


def _attributes(text: str | None) -> dict[str, str | int | float | bool]:
    """The flat values of a JSON object; a text that is none is kept whole under `attributes`."""
    if not text:
        return {}
    try:
        found: Any = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return {"attributes": text}
    return {
        str(key): value if isinstance(value, str | int | float) else json.dumps(value) for key, value in found.items()
    }


def _present(**values: str | int | None) -> dict[str, str | int | float | bool]:
    return {key: value for key, value in values.items() if value is not None}


def _id(value: int | str) -> int:
    return value if isinstance(value, int) else int(value, 16)


def _optional_id(value: int | str | None) -> int | None:
    return None if value is None else _id(value)
