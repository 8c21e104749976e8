from __future__ import annotations

from actors.event_log.healing_schema import HEALING_TABLES


def phase(incident: str, phase: str, after_ms: float, strategy: str | None = "restart") -> tuple[object, ...]:
    return (
        *(incident, "db", "crash", "high", "phase", phase, strategy, None, None, None, None, None, None, None),
        *(100.0, after_ms, 1, 1, 1_700_000_000_000_000, None, None),
    )


def test_success_is_told_by_component_and_strategy_and_an_incident_counts_once(store, batch_of, read):
    rows = [
        phase("1", "resolved", 2000.0),
        phase("2", "escalated", 9000.0),
        phase("2", "resolved", 99000.0),
        phase("3", "resolved", 4000.0),
        phase("4", "resolved", 1000.0, strategy=None),
        phase("5", "verifying", 1000.0),
    ]
    store.append([batch_of(1, *rows, table="recovery_events")])
    assert read(
        "SELECT strategy, incidents, resolved, escalated, round(success_rate, 2), mean_detect_ms, mean_recover_ms "
        "FROM recovery_success_rate ORDER BY strategy"
    ) == [("", 1, 1, 0, 1.0, 100.0, 1000.0), ("restart", 3, 2, 1, 0.67, 100.0, 3000.0)]


def test_no_two_tables_have_a_name():
    assert len({table.name for table in HEALING_TABLES}) == len(HEALING_TABLES)
