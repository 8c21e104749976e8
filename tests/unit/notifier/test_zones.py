"""Zones have their summer time, and one that is not known here is no error."""

from __future__ import annotations

from datetime import UTC, datetime

from actors.notifier.zones import offsets_min


def test_a_zone_is_ahead_of_utc_by_its_season() -> None:
    winter, summer = (datetime(2026, month, 15, tzinfo=UTC).timestamp() for month in (1, 7))
    zones = ("Europe/Berlin", "Asia/Kolkata", "America/New_York", "Middle/Earth", "../etc/passwd", "")
    assert offsets_min(zones, winter) == {"Europe/Berlin": 60, "Asia/Kolkata": 330, "America/New_York": -300}
    assert offsets_min(zones, summer) == {"Europe/Berlin": 120, "Asia/Kolkata": 330, "America/New_York": -240}
