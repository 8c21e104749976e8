"""What the log forgets by itself: rows of some tables, when they are old enough.

They go in small transactions, so that nobody who appends waits for long. What is deleted leaves room in the file for
what comes; the file itself seldom gets smaller.
"""

from __future__ import annotations

from actors.event_log.chaos_schema import CHAOS_TABLES
from actors.event_log.health_schema import HEALTH_TABLES
from actors.event_log.store import EventStore

AGING: tuple[str, ...] = (
    *(table.name for table in (*HEALTH_TABLES, *CHAOS_TABLES)),
    *("degradation_state", "recovery_events", "recorded_incidents", "notifications", "recorded_messages"),
)
"""The tables whose rows go; each has an `at_time`. Of what is set by hand or learned the latest counts, however old."""

STEP_ROWS = 20_000
"""So many rows go in one transaction at most."""

_DAY_US = 86_400_000_000


def forget(store: EventStore, *, keep_days: float, now_us: int) -> int:
    """Delete what is older than `keep_days`; returns how many rows that were.

    Args:
        store: The open log.
        keep_days: How long a row is kept, days.
        now_us: The moment, microseconds since the Unix epoch.
    Raises:
        EventLogError: The disk or the file failed; what was deleted before stays so.
    """
    before_us = now_us - int(keep_days * _DAY_US)
    return sum(_forget(store, table, before_us) for table in AGING)


def _forget(store: EventStore, table: str, before_us: int) -> int:
    deleted = 0
    while True:
        with store.transaction() as connection:
            old = f"SELECT rowid FROM {table} WHERE at_time < make_timestamptz(?) LIMIT {STEP_ROWS}"  # noqa: S608 - ours
            found = connection.execute(f"DELETE FROM {table} WHERE rowid IN ({old})", [before_us]).fetchall()  # noqa: S608 - the same
        deleted += int(found[0][0])
        if int(found[0][0]) < STEP_ROWS:
            return deleted
