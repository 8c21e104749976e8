"""The notifier's outbox and its history as rows of the log, and what a successor reads there. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from actors.notifier import messages as m

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HISTORY = "notifications"
OUTBOX = "recorded_messages"

WAITING = (
    "SELECT message_id, channel, attempts, alerts, epoch_us(at_time) AS at_us FROM recorded_messages "
    "QUALIFY row_number() OVER (PARTITION BY message_id ORDER BY ingest_id DESC) = 1 "
    "AND state = 'waiting' ORDER BY min(ingest_id) OVER (PARTITION BY message_id)"
)
"""Messages that were written down and not forgotten, oldest first, however old: each is sent, or its drop is told."""

Row = tuple[Any, ...]


def waiting_row(entry: m.OutboxEntry, at_us: int) -> tuple[str, Row]:
    """A message that is to be sent."""
    alerts = json.dumps([asdict(alert) for alert in entry.alerts])
    return OUTBOX, (entry.entry_id, entry.channel, "waiting", entry.attempts, alerts, at_us)


def forgotten_row(entry_id: str, at_us: int) -> tuple[str, Row]:
    """A message that is not to be sent any more."""
    return OUTBOX, (entry_id, "", "over", None, None, at_us)


def history_row(command: m.RecordNotification, at_us: int) -> tuple[str, Row]:
    """What became of a message."""
    entry = command.entry
    first = entry.alerts[0] if entry.alerts else None
    incidents = dict.fromkeys(alert.incident_id for alert in entry.alerts if alert.incident_id)
    return HISTORY, (
        entry.entry_id,
        entry.channel,
        command.result,
        entry.attempts,
        len(entry.alerts),
        None if first is None else first.component,
        None if first is None else first.severity,
        None if first is None else first.title,
        ", ".join(incidents) or None,
        command.detail or None,
        at_us,
    )


def entries_of(rows: Iterable[Mapping[str, Any]], now_us: int) -> tuple[m.OutboxEntry, ...]:
    """The messages that `WAITING` found, and how old they are; one that cannot be read tells of nothing."""
    return tuple(
        m.OutboxEntry(
            entry_id=row["message_id"],
            channel=row["channel"],
            alerts=_alerts(row["alerts"]),
            attempts=row["attempts"] or 0,
            age_s=max(0.0, (now_us - row["at_us"]) / 1e6),
        )
        for row in rows
    )


def _alerts(written: str | None) -> tuple[m.Alert, ...]:
    try:
        return tuple(m.Alert(**each) for each in json.loads(written or ""))
    except (TypeError, ValueError):
        return ()
