"""What the degradation's owner writes to the event log, as rows, and what a successor reads there. Pure.

A change of level is a row, a declaration is a row, and what a successor needs is a row now and then.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from actors.degradation import messages as m
from actors.service.writer import Row, Writer, as_text

if TYPE_CHECKING:
    from actors.degradation.published import Published

CHANGES = "degradation_state"
SNAPSHOTS = "recorded_degradation"
FEATURES = "recorded_features"

LATEST = (
    "SELECT kept, era, epoch_us(at_time) AS at_us FROM recorded_degradation "
    "WHERE owner = ? ORDER BY ingest_id DESC LIMIT 1"
)
"""The latest snapshot of an owner."""


def rows_of(command: m.Command, published: Published, writer: Writer, at_us: int) -> list[tuple[str, Row]]:
    """What a command puts on record: tables and rows; nothing for most commands."""
    match command:
        case m.RecordLevel():
            return [(CHANGES, _change(command, published, writer, at_us))]
        case m.RecordFeature():
            return [(FEATURES, _feature(command, published, writer, at_us))]
        case _:
            return []


def snapshot(kept: m.KeptDegradation, published: Published, packed: bytes, writer: Writer, at_us: int) -> Row:
    """The state as a row of `recorded_degradation`; `packed` is that state for a successor."""
    override = kept.override
    return (
        kept.level,
        published.number,
        kept.generation,
        kept.reason,
        None if override is None else override.who,
        None if override is None else override.reason,
        _milliseconds(None if override is None else override.until_s),
        json.dumps(sorted(published.resolved.why_off)),
        None if kept.statistics is None else json.dumps(asdict(kept.statistics)),
        writer.owner,
        writer.incarnation,
        writer.era,
        as_text(packed),
        at_us,
    )


def _change(command: m.RecordLevel, published: Published, writer: Writer, at_us: int) -> Row:
    return (
        command.after,
        command.before,
        published.generation,
        command.kind,
        command.detail,
        command.who or None,
        _milliseconds(command.until_s),
        json.dumps(command.switched_off),
        json.dumps(command.switched_on),
        writer.owner,
        writer.incarnation,
        at_us,
    )


def _feature(command: m.RecordFeature, published: Published, writer: Writer, at_us: int) -> Row:
    feature = command.feature
    return (
        command.name,
        None if feature is None else feature.lowest,
        None if feature is None else json.dumps(feature.needs),
        None if feature is None else json.dumps(feature.limits),
        None if feature is None else feature.rollout,
        None if feature is None else json.dumps(feature.tenants),
        int(feature is None),
        published.generation,
        writer.owner,
        writer.incarnation,
        at_us,
    )


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000
