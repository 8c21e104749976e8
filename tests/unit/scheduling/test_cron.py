"""Times are those of the zone, daylight saving included; what is none is told."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from actors.runtime.errors import ConfigError
from experiments.scheduling.cron import moment, next_time, times_between


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000_000)


def test_times_lie_after_one_and_up_to_another() -> None:
    found = times_between("0 10 * * mon-fri", "UTC", after_us=us("2026-11-27T10:00"), until_us=us("2026-12-01T10:00"))
    assert found == [us("2026-11-30T10:00"), us("2026-12-01T10:00")]
    assert next_time("0 10 * * *", "UTC", after_us=us("2026-11-27T10:00") - 1) == us("2026-11-27T10:00")
    assert len(times_between("* * * * *", "UTC", after_us=0, until_us=us("2026-01-01T00:00"), most=7)) == 7


def test_they_are_the_zones() -> None:
    """Berlin is at UTC+1 in winter and at UTC+2 in summer."""
    assert next_time("0 10 * * *", "Europe/Berlin", after_us=us("2026-01-01T00:00")) == us("2026-01-01T09:00")
    assert next_time("0 10 * * *", "Europe/Berlin", after_us=us("2026-07-01T00:00")) == us("2026-07-01T08:00")
    found = moment("Europe/Berlin", us("2026-11-28T23:30"))
    assert (found.day, found.clock) == ("sun", "00:30")


@pytest.mark.parametrize(
    ("cron", "zone", "words"),
    [
        ("* * * *", "UTC", "has not five fields"),
        ("0 0 0 * * *", "UTC", "has not five fields"),
        ("61 * * * *", "UTC", "is no cron expression"),
        ("* * * * *", "Mars/Olympus", "is no time zone"),
        ("* * * * *", "../etc/passwd", "is no time zone"),
    ],
)
def test_what_is_none_is_told(cron: str, zone: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        next_time(cron, zone, after_us=0)


def test_a_day_that_never_comes_never_comes() -> None:
    with pytest.raises(ConfigError, match="is no cron expression"):
        next_time("0 0 30 2 *", "UTC", after_us=0)
