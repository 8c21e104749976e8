"""What the event log holds of a run, as facts: the statements to ask with, and what their rows mean. Pure.

An event is cited as `table/ingest_id`, by which anybody finds its row again. Times are seconds since the run began.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from experiments.checker import Ended
from experiments.judging.facts import LogFact
from experiments.judging.invariants import BreakerStep, Restart

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from experiments.checker import Fact

CHILDREN = """
    SELECT ingest_id, child, incarnation, event, detail, epoch_us(at_time) AS at_us FROM children
    WHERE at_time BETWEEN make_timestamptz(?::BIGINT) AND make_timestamptz(?::BIGINT) ORDER BY ingest_id
"""
"""What happened to children; its parameters are the run's begin and end, wall-clock microseconds, as of all these."""

BREAKERS = """
    SELECT ingest_id, breaker, from_state, to_state, generation, detail, epoch_us(at_time) AS at_us
    FROM circuit_breaker_state_history WHERE event = 'transition'
    AND at_time BETWEEN make_timestamptz(?::BIGINT) AND make_timestamptz(?::BIGINT) ORDER BY ingest_id
"""
"""Transitions of breakers."""

RESTARTS = """
    SELECT ingest_id, child, group_name, epoch_us(at_time) AS at_us FROM restarts
    WHERE at_time BETWEEN make_timestamptz(?::BIGINT) AND make_timestamptz(?::BIGINT) ORDER BY ingest_id
"""
"""Restarts that a supervisor decided."""

TASKS = """
    SELECT ingest_id, task_id, key, state, error_type FROM tasks
    WHERE submitted_at BETWEEN make_timestamptz(?::BIGINT) AND make_timestamptz(?::BIGINT) ORDER BY ingest_id
"""
"""How tasks ended, as the log knows it."""

STEPS = """
    SELECT max(ingest_id) AS ingest_id, event, fault_id FROM chaos_experiment_events
    WHERE run = ? AND fault_id IS NOT NULL GROUP BY event, fault_id
"""
"""Steps of a run's faults; its parameter is the run's name."""

_TOLD = {"open": "opened", "closed": "closed", "half_open": "probing", "ramping": "ramping"}


def children(rows: Iterable[Mapping[str, Any]], *, began_us: int) -> tuple[LogFact, ...]:
    """The events of rows of `CHILDREN`."""
    return tuple(
        LogFact(
            event_id=f"children/{row['ingest_id']}",
            at_s=_seconds(row, began_us),
            subject=str(row["child"]),
            event=str(row["event"]),
            incarnation=int(row["incarnation"] or 0),
            detail=str(row["detail"] or ""),
        )
        for row in rows
    )


def breakers(rows: Iterable[Mapping[str, Any]], *, began_us: int) -> tuple[LogFact, ...]:
    """The events of rows of `BREAKERS`."""
    return tuple(
        LogFact(
            event_id=f"circuit_breaker_state_history/{row['ingest_id']}",
            at_s=_seconds(row, began_us),
            subject=f"breaker/{row['breaker']}",
            event=_TOLD.get(str(row["to_state"]), str(row["to_state"])),
            detail=str(row["detail"] or ""),
        )
        for row in rows
    )


def breaker_steps(rows: Iterable[Mapping[str, Any]]) -> tuple[BreakerStep, ...]:
    """The transitions of rows of `BREAKERS`, to be looked at by `illegal_steps`."""
    return tuple(
        BreakerStep(
            event_id=f"circuit_breaker_state_history/{row['ingest_id']}",
            breaker=str(row["breaker"]),
            before=str(row["from_state"]),
            after=str(row["to_state"]),
            generation=int(row["generation"] or 0),
        )
        for row in rows
    )


def restarts(rows: Iterable[Mapping[str, Any]], *, began_us: int) -> tuple[Restart, ...]:
    """The restarts of rows of `RESTARTS`, to be looked at by `too_many_restarts`."""
    return tuple(
        Restart(
            event_id=f"restarts/{row['ingest_id']}", group=str(row["group_name"] or ""), at_s=_seconds(row, began_us)
        )
        for row in rows
    )


def endings(rows: Iterable[Mapping[str, Any]]) -> Iterator[Fact]:
    """The endings of rows of `TASKS`, for the history checker; a task without a key goes by its id."""
    for row in rows:
        yield Ended(str(row["key"] or row["task_id"]), ok=row["state"] == "done")


def failures(rows: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """Failed tasks of rows of `TASKS` by the type of their error, with the ids of their rows."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if row["state"] != "done":
            name = str(row["error_type"] or "unknown").rpartition(".")[2]
            found.setdefault(name, []).append(f"tasks/{row['ingest_id']}")
    return {name: tuple(ids) for name, ids in found.items()}


def steps(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The rows of `STEPS` by step and fault, as `undone/0.1.worker/w0`: what each is cited by."""
    return {f"{row['event']}/{row['fault_id']}": f"chaos_experiment_events/{row['ingest_id']}" for row in rows}


def _seconds(row: Mapping[str, Any], began_us: int) -> float:
    return (int(row["at_us"]) - began_us) / 1_000_000
