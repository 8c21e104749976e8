"""Times of a cron expression in a time zone, daylight saving included; and what time it is somewhere."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from actors.runtime.errors import ConfigError
from experiments.planning.inventory import Moment
from supervisor.chaos_settings import DAYS

_US = 1_000_000
_FIELDS = 5


def times_between(cron: str, zone: str, *, after_us: int, until_us: int, most: int = 1_000) -> list[int]:
    """The times after `after_us` and up to `until_us`, wall-clock microseconds; the first `most` of them.

    Raises:
        ConfigError: The expression or the zone is none.
    """
    found: list[int] = []
    for each in _times(cron, zone, after_us):
        at_us = int(each.timestamp() * _US)
        if at_us > until_us or len(found) >= most:
            break
        if at_us > after_us:
            found.append(at_us)
    return found


def next_time(cron: str, zone: str, *, after_us: int) -> int | None:
    """The first time after `after_us`, wall-clock microseconds; None if it never comes.

    Raises:
        ConfigError: The expression or the zone is none.
    """
    for each in _times(cron, zone, after_us):
        at_us = int(each.timestamp() * _US)
        if at_us > after_us:
            return at_us
    return None


def moment(zone: str, at_us: int) -> Moment:
    """The day of the week and the time of the day there.

    Raises:
        ConfigError: The zone is none.
    """
    there = datetime.fromtimestamp(at_us / _US, _zone(zone))
    return Moment(day=DAYS[there.weekday()], clock=there.strftime("%H:%M"))


def _times(cron: str, zone: str, after_us: int) -> CronSim:
    there = _zone(zone)
    if len(cron.split()) != _FIELDS:
        raise ConfigError("schedule", problems=(f"cron: {cron!r} has not five fields, as 0 10 * * mon-fri",))
    begin = datetime.fromtimestamp(after_us // _US, UTC).astimezone(there)
    try:
        return CronSim(cron, begin)
    except CronSimError as error:
        raise ConfigError("schedule", problems=(f"cron: {cron!r} is no cron expression: {error}",)) from None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError("schedule", problems=(f"zone: {name!r} is no time zone, as Europe/Berlin",)) from None
