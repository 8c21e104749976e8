"""How far time zones are ahead of UTC at a moment, by this machine's data of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def offsets_min(zones: Iterable[str], wall_s: float) -> dict[str, int]:
    """Minutes ahead of UTC, summer time and all; a zone that is not known on this machine is left out.

    Args:
        zones: Their names, as Europe/Berlin.
        wall_s: The moment, seconds since the Unix epoch.
    """
    moment = datetime.fromtimestamp(wall_s, UTC)
    found: dict[str, int] = {}
    for zone in zones:
        try:
            ahead = moment.astimezone(ZoneInfo(zone)).utcoffset()
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
        found[zone] = 0 if ahead is None else round(ahead.total_seconds() / 60)
    return found
