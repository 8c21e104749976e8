"""Old rows go by themselves, however many there are, and only those."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from actors.event_log import retention
from actors.event_log.retention import AGING, forget
from actors.event_log.schema import TABLES
from actors.event_log.store import EventStore

DAY_US = 86_400_000_000
NOW_US = 1_800_000_000_000_000


def check(days_ago: float) -> tuple[Any, ...]:
    return ("db", "liveness", "", "failed", 1, 1.0, None, None, 1, NOW_US - int(days_ago * DAY_US))


def test_what_is_old_goes_in_steps_and_the_rest_stays(
    store: EventStore, batch_of: Callable[..., Any], read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "STEP_ROWS", 10)
    store.append([batch_of(1, *(check(days_ago) for days_ago in range(1, 60)), table="health_checks")])
    assert forget(store, keep_days=30.5, now_us=NOW_US) == 29
    assert read("SELECT count(*), min(epoch_us(at_time)) FROM health_checks") == [(30, NOW_US - 30 * DAY_US)]
    assert forget(store, keep_days=30.5, now_us=NOW_US) == 0


def test_tables_that_age_are_tables_with_a_time() -> None:
    assert all(any(column.name == "at_time" for column in TABLES[table].columns) for table in AGING)
