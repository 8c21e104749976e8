"""What an owner writes to the event log, as rows, and what a successor reads there. Pure.

Each transition is a row of `circuit_breaker_state_history`, and a span that refusals link to (see `spans`).
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace

from actors.breaker import messages as m
from actors.breaker.kept import Kept
from actors.breaker.ownership import Command, RecordBegun
from actors.breaker.spans import span_of
from actors.service.writer import Row, Writer, as_text

HISTORY = "circuit_breaker_state_history"
SNAPSHOTS = "recorded_breakers"
SPANS = "recorded_spans"

LATEST = (
    "SELECT breaker, kept, era, epoch_us(at_time) AS at_us FROM recorded_breakers "
    "WHERE breaker IN (SELECT unnest(string_split(?, chr(31)))) "
    "QUALIFY row_number() OVER (PARTITION BY breaker ORDER BY ingest_id DESC) = 1"
)
"""The latest snapshots of breakers, whose names are one text, separated by ASCII's unit separator."""


def rows_of(name: str, command: Command, writer: Writer, at_us: int) -> list[tuple[str, Row]]:
    """What a command puts on record: tables and rows; nothing for most commands."""
    match command:
        case m.RecordTransition():
            history = _history(
                name,
                writer,
                at_us,
                event="transition",
                before=command.before,
                after=command.after,
                generation=command.generation,
                cause=command.cause,
                openings=command.openings,
                wait_s=command.wait_s,
            )
            return [history, _span(name, command, at_us)]
        case m.RecordOpenWait():
            return [
                _history(name, writer, at_us, event="open_wait", generation=command.generation, wait_s=command.wait_s)
            ]
        case m.RecordConfigured():
            detail = "; ".join(command.difference) or "nothing that can be compared has changed"
            cause = m.Cause(kind="configured", detail=detail, who=command.who, reason=command.reason)
            return [_history(name, writer, at_us, event="configured", generation=None, cause=cause)]
        case m.NoteRecovered():
            recovered = _history(
                name,
                writer,
                at_us,
                event="recovered",
                before=command.state,
                after=command.state,
                generation=command.generation,
                detail=f"a later life of its owner went on; permits that it does not know end in {command.shut_s:g} s",
            )
            return [recovered]
        case m.NoteWouldOpen():
            return [
                _history(name, writer, at_us, event="would_open", generation=command.generation, cause=command.cause)
            ]
        case _:
            return []


def keeps(command: Command) -> bool:
    """Whether a successor that has nothing but the log must know what this changed."""
    changes = RecordBegun | m.RecordTransition | m.RecordOpenWait | m.RecordConfigured | m.NoteRampStep
    return isinstance(command, changes)


def without_details(kept: Kept) -> Kept:
    """What of a breaker is put into the log: permits end before anybody reads it, and samples are in the history."""
    opened = kept.opened_by
    return replace(kept, leases=(), opened_by=None if opened is None else replace(opened, samples=()))


def snapshot(name: str, kept: Kept, packed: bytes, writer: Writer, at_us: int) -> Row:
    """A breaker's state as a row of `recorded_breakers`; `packed` is that state for a successor."""
    published, override = kept.published, kept.overridden_by
    return (
        name,
        published.state,
        published.generation,
        published.openings,
        published.wait_s * 1000,
        published.rules,
        _shown(kept),
        None if override is None else override.who,
        None if override is None else override.reason,
        None if kept.opened_by is None else kept.opened_by.detail,
        writer.owner,
        writer.incarnation,
        writer.era,
        as_text(packed),
        at_us,
    )


def _history(  # noqa: PLR0913 - one argument for each column that differs
    name: str,
    writer: Writer,
    at_us: int,
    *,
    event: str,
    generation: int | None,
    before: str | None = None,
    after: str | None = None,
    cause: m.Cause | None = None,
    detail: str | None = None,
    openings: int | None = None,
    wait_s: float | None = None,
) -> tuple[str, Row]:
    trip = None if cause is None else cause.trip
    trace_id, span_id = span_of(name, generation) if event == "transition" and generation is not None else (None, None)
    return HISTORY, (
        name,
        event,
        before,
        after,
        generation,
        None if cause is None else cause.kind,
        detail if cause is None else cause.detail,
        None if trip is None else trip.rule,
        None if trip is None else float(trip.value),
        None if trip is None else float(trip.threshold),
        None if trip is None else trip.calls,
        openings,
        None if wait_s is None else wait_s * 1000,
        None if cause is None else cause.who or None,
        None if cause is None else cause.reason or None,
        json.dumps(cause.reporters) if cause is not None and cause.reporters else None,
        json.dumps([asdict(sample) for sample in cause.samples]) if cause is not None and cause.samples else None,
        writer.owner,
        writer.incarnation,
        at_us,
        trace_id,
        span_id,
    )


def _span(name: str, command: m.RecordTransition, at_us: int) -> tuple[str, Row]:
    trace_id, span_id = span_of(name, command.generation)
    attributes = {"breaker": name, "cause": command.cause.kind, "detail": command.cause.detail}
    status = "error" if command.after == "open" else "ok"
    told = f"breaker {name}: {command.before} -> {command.after}"
    return SPANS, (trace_id, span_id, None, told, "breaker", at_us, at_us, status, json.dumps(attributes))


def _shown(kept: Kept) -> str:
    """The settings that are not the default, as JSON for people."""
    fields = type(kept.settings).model_fields
    changed = {name: getattr(kept.settings, name) for name in fields}
    changed = {name: value for name, value in changed.items() if value != fields[name].default}
    return json.dumps(changed, default=lambda value: getattr(value, "__qualname__", str(value)))
