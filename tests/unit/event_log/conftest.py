"""Logs in a folder of their own, and rows to put into them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.event_log.schema import TASKS
from actors.event_log.store import EventStore
from actors.runtime.batches import Batch

START_US = 1_700_000_000_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log" / "events.duckdb"


@pytest.fixture
def store(path: Path) -> Iterator[EventStore]:
    opened = EventStore(path)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def task_row() -> Callable[..., tuple[Any, ...]]:
    """A task's row; keywords replace columns."""

    def make(task_id: str | None = "t1", /, **changes: Any) -> tuple[Any, ...]:
        row: dict[str, Any] = {column.name: None for column in TASKS.columns}
        row |= {"task_id": task_id, "name": "charge", "state": "done", "attempts": 1, "worker": "worker/w0#1"}
        row |= {"submitted_at": START_US, "attempt_at": START_US + 100, "run_us": 50, "ended_at": START_US + 200}
        row |= {"trace_id": 0xAB, "span_id": 0x1, "attempt_span_id": 0x2}
        return tuple((row | changes).values())

    return make


@pytest.fixture(scope="session")
def batch_of() -> Callable[..., Batch]:
    """A batch of rows of one table."""

    def make(seq: int, *rows: tuple[Any, ...], epoch: str = "e", table: str = "tasks") -> Batch:
        return Batch(epoch, seq, {table: [list(column) for column in zip(*rows, strict=True)]})

    return make


@pytest.fixture
def read(store: EventStore) -> Callable[..., list[tuple[Any, ...]]]:
    """What a plain SQL statement gives, outside of the guard."""

    def run(sql: str) -> list[tuple[Any, ...]]:
        reader = store.reader()
        try:
            return reader.execute(sql).fetchall()
        finally:
            reader.close()

    return run
