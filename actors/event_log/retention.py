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
"""The tables whose rows go; each has an `at_time`."""

SUPERSEDED: dict[str, tuple[str, ...]] = {
    "circuit_breaker_state_history": ("breaker", "event"),
    "recorded_breakers": ("breaker",),
    "recorded_degradation": ("owner",),
    "recorded_features": ("feature",),
    "recorded_plans": ("component", "failure", "severity"),
    "recovery_lessons": ("component", "failure", "strategy"),
}
"""Of these the latest row counts, however old, for each value of these columns; what came before it goes."""

BEGUN: tuple[str, ...] = ("recorded_breakers", "recorded_features")
"""Of these the first row stays, too: it tells since when there is one."""

HELD = (
    "SELECT rowid FROM recovery_events WHERE event IN ('hold', 'release') "
    "QUALIFY row_number() OVER (PARTITION BY component ORDER BY ingest_id DESC) = 1"
)
"""What an operator has said last of a component stays, too."""

BREAKER_SPANS = (
    "SELECT rowid FROM recorded_spans WHERE kind = 'breaker' AND ended_at < make_timestamptz(?) "
    "AND span_id NOT IN (SELECT span_id FROM circuit_breaker_state_history WHERE span_id IS NOT NULL)"
)
"""A transition's span goes with its row of the history: what is refused now links to the latest one."""

WAITING = (
    "SELECT rowid FROM recorded_messages "
    "QUALIFY row_number() OVER (PARTITION BY message_id ORDER BY ingest_id DESC) = 1 AND state = 'waiting'"
)
"""A message that waits stays until a notifier has sent it, or told that it is dropped."""

_STAYS = {"recovery_events": HELD, "recorded_messages": WAITING}

STEP_ROWS = 20_000
"""So many rows go in one transaction at most."""

_DAY_US = 86_400_000_000


def forget(store: EventStore, *, keep_days: float, now_us: int) -> int:
    """Delete what is older than `keep_days` and counts no more; returns how many rows that were.

    Args:
        store: The open log.
        keep_days: How long a row is kept, days.
        now_us: The moment, microseconds since the Unix epoch.
    Raises:
        EventLogError: The disk or the file failed; what was deleted before stays so.
    """
    before_us = now_us - int(keep_days * _DAY_US)
    aging = sum(_forget(store, _aging(table), table, before_us) for table in AGING)
    superseded = sum(_forget(store, _superseded(table), table, before_us) for table in SUPERSEDED)
    return aging + superseded + _forget(store, BREAKER_SPANS, "recorded_spans", before_us)


def _aging(table: str) -> str:
    stays = f" AND rowid NOT IN ({_STAYS[table]})" if table in _STAYS else ""
    order = " ORDER BY ingest_id" if stays else ""  # what is over goes no sooner than what it ended
    return f"SELECT rowid FROM {table} WHERE at_time < make_timestamptz(?){stays}{order}"  # noqa: S608 - ours


def _superseded(table: str) -> str:
    keys = ", ".join(SUPERSEDED[table])
    later = f"row_number() OVER (PARTITION BY {keys} ORDER BY ingest_id DESC)"
    earlier = f" AND row_number() OVER (PARTITION BY {keys} ORDER BY ingest_id) > 1" if table in BEGUN else ""
    return f"SELECT rowid FROM {table} QUALIFY {later} > 1{earlier} AND at_time < make_timestamptz(?)"  # noqa: S608 - ours


def _forget(store: EventStore, old: str, table: str, before_us: int) -> int:
    deleted = 0
    while True:
        with store.transaction() as connection:
            rows = f"{old} LIMIT {STEP_ROWS}"
            found = connection.execute(f"DELETE FROM {table} WHERE rowid IN ({rows})", [before_us]).fetchall()  # noqa: S608 - ours
        deleted += int(found[0][0])
        if int(found[0][0]) < STEP_ROWS:
            return deleted
