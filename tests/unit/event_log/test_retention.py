"""Old rows go by themselves, however many there are, and only those."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from actors.event_log import retention
from actors.event_log.retention import AGING, BEGUN, SUPERSEDED, forget
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


ROWS: dict[str, dict[str, Any]] = {
    "circuit_breaker_state_history": {"event": "transition"},
    "recorded_breakers": {"state": "closed", "generation": 1},
    "recorded_degradation": {"level": "full", "number": 0, "generation": 1},
    "recorded_features": {"withdrawn": 0, "generation": 1},
    "recorded_plans": {"failure": "*", "severity": "low", "strategies": "restart"},
    "recovery_lessons": {"failure": "crash", "strategy": "restart", "tries": 1, "successes": 1, "seconds": 1.0},
}


def row_of(table: str, days_ago: float, **given: Any) -> tuple[Any, ...]:
    known = ROWS.get(table, {}) | given | {"at_time": NOW_US - int(days_ago * DAY_US)}
    return tuple(known.get(column.name) for column in TABLES[table].columns)


@pytest.mark.parametrize("table", SUPERSEDED)
def test_of_what_counts_until_it_is_said_anew_the_latest_of_each_stays_however_old(
    store: EventStore, batch_of: Callable[..., Any], read: Any, table: str
) -> None:
    key = SUPERSEDED[table][0]
    said = [("a", 90.0), ("b", 80.0), ("a", 70.0), ("a", 60.0), ("c", 50.0), ("c", 1.0)]
    store.append([batch_of(1, *(row_of(table, days, **{key: name}) for name, days in said), table=table)])
    began = 1 if table in BEGUN else 0
    assert forget(store, keep_days=30.0, now_us=NOW_US) == 3 - 2 * began
    days = f"SELECT {key}, ({NOW_US} - epoch_us(at_time)) // {DAY_US} FROM {table} ORDER BY ingest_id"
    left = [("b", 80), ("a", 60), ("c", 1)]
    first = [("a", 90), ("b", 80), ("a", 60), ("c", 50), ("c", 1)]
    assert read(days) == (first if began else left)
    assert forget(store, keep_days=30.0, now_us=NOW_US) == 0


def test_what_an_operator_holds_stays_held_however_long(
    store: EventStore, batch_of: Callable[..., Any], read: Any
) -> None:
    said = [("a", "hold"), ("b", "hold"), ("b", "release"), ("a", "phase"), ("c", "release"), ("c", "hold")]
    common = {"incident_id": "", "failure": "", "severity": "low"}
    rows = [row_of("recovery_events", 90.0, component=name, event=event, **common) for name, event in said]
    store.append([batch_of(1, *rows, table="recovery_events")])
    forget(store, keep_days=30.0, now_us=NOW_US)
    left = read("SELECT component, event FROM recovery_events ORDER BY ingest_id")
    assert left == [("a", "hold"), ("b", "release"), ("c", "hold")]


def flapping(days: int) -> dict[str, list[tuple[Any, ...]]]:
    """A breaker that opened and closed every day, and one that was forced open before all that."""
    names = ["forced"] + ["flapping"] * days
    states = ["forced_open"] + ["open" if day % 2 else "closed" for day in range(days, 0, -1)]
    ago = [days + 1.0, *(float(day) for day in range(days, 0, -1))]
    told = list(zip(names, states, ago, (f"{number:016x}" for number in range(days + 1)), strict=True))
    history = "circuit_breaker_state_history"
    return {
        history: [row_of(history, at, breaker=name, to_state=state, span_id=span) for name, state, at, span in told],
        "recorded_breakers": [
            row_of("recorded_breakers", at, breaker=name, state=state) for name, state, at, _ in told
        ],
        "recorded_spans": [span_row(at, span) for _, _, at, span in told],
    }


def span_row(days_ago: float, span_id: str, kind: str = "breaker") -> tuple[Any, ...]:
    at = NOW_US - int(days_ago * DAY_US)
    return ("f" * 32, span_id, None, "breaker b: closed -> open", kind, at, at, "ok", None)


def test_a_breaker_that_flaps_for_ever_keeps_the_days_that_are_kept_and_how_it_stands(
    store: EventStore, batch_of: Callable[..., Any], read: Any
) -> None:
    for number, (table, rows) in enumerate(flapping(90).items()):
        store.append([batch_of(number, *rows, table=table)])
    store.append([batch_of(9, span_row(90.0, "e" * 16, kind="health"), table="recorded_spans")])
    forget(store, keep_days=30.5, now_us=NOW_US)
    count = "SELECT count(*), count(*) FILTER (breaker = 'forced') FROM "
    assert read(count + "circuit_breaker_state_history") == [(31, 1)]
    assert read(count + "recorded_breakers") == [(32, 1)], "the first tells since when there is one"
    spans = "SELECT count(*) FILTER (kind = 'breaker'), count(*) FILTER (kind = 'health') FROM recorded_spans"
    assert read(spans) == [(31, 1)]
    linked = "SELECT count(*) FROM circuit_breaker_state_history SEMI JOIN recorded_spans USING (span_id)"
    assert read(linked) == [(31,)]
    assert read("SELECT breaker, state FROM active_circuit_breakers ORDER BY breaker") == [
        ("flapping", "open"),
        ("forced", "forced_open"),
    ]
    age = f"SELECT ({NOW_US} - epoch_us(created_at)) // {DAY_US} FROM circuit_breakers WHERE breaker = 'flapping'"
    assert read(age) == [(90,)]
    assert forget(store, keep_days=30.5, now_us=NOW_US) == 0


def test_a_message_that_waits_stays_however_long_and_one_that_is_over_goes_whole(
    store: EventStore, batch_of: Callable[..., Any], read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "STEP_ROWS", 1)
    said = [("a", "waiting"), ("b", "waiting"), ("b", "waiting"), ("b", "over"), ("a", "waiting")]
    rows = [row_of("recorded_messages", 90.0, message_id=name, channel="mail", state=state) for name, state in said]
    store.append([batch_of(1, *rows, table="recorded_messages")])
    forget(store, keep_days=30.0, now_us=NOW_US)
    assert read("SELECT message_id, state FROM recorded_messages") == [("a", "waiting")]


def test_tables_that_age_are_tables_with_a_time() -> None:
    assert all(any(column.name == "at_time" for column in TABLES[table].columns) for table in AGING)


def test_what_is_superseded_is_told_by_columns_that_there_are() -> None:
    for table, keys in SUPERSEDED.items():
        assert {*keys, "at_time"} <= {column.name for column in TABLES[table].columns}
    assert not set(AGING) & SUPERSEDED.keys()
