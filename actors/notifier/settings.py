"""What a user says of channels, of who is told what, and of how often. Pure.

Secrets come from the environment: `${NAME}` in an address stands for that variable, and is read when a message is sent.
So neither settings nor what is shown of them hold any. An address that does hold one is shown masked.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from actors.notifier.secret import masked
from actors.recovery.strategies import SEVERITIES, Severity
from actors.runtime.settings import PROBLEM, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

ChannelKind = Literal["apprise", "alertmanager", "webhook"]

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_DAY_S = 86_400.0
_HOUR_MIN = 60
_DAY_MIN = 24 * _HOUR_MIN
_WEB = ("http://", "https://")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_CLOCK = re.compile(r"([01]\d|2[0-4]):([0-5]\d)")


class ChannelSettings(Settings):
    """One way to people."""

    name: str = Field(min_length=1, max_length=256, description="What routes and strategies call it.")
    kind: ChannelKind = Field(default="apprise", description="What it speaks.")
    url: str = Field(description="Its address; ${NAME} stands for a variable of the environment.", repr=False)
    secret_env: str = Field(
        default="",
        max_length=256,
        description="Webhook: the variable of the environment with the key that bodies are signed with.",
    )
    timeout_s: float = Field(default=10.0, gt=0, le=300, description="A message that takes longer has failed, seconds.")
    rate_per_min: float = Field(default=20.0, gt=0, le=10_000, description="Messages a minute at most; more wait.")
    burst: int = Field(default=10, ge=1, le=10_000, description="Messages that may go at once after a calm.")

    @field_validator("url")
    @classmethod
    def _an_address(cls, url: str, info: ValidationInfo) -> str:
        """What is said of a wrong one shows it masked."""
        kind = info.data.get("kind")
        if not _ADDRESS.fullmatch(_VARIABLE.sub("x", url)) and not _VARIABLE.fullmatch(url):
            words = f"{masked(url)!r} is no address; write scheme://..., or ${{NAME}} for one from the environment"
            raise PydanticCustomError(PROBLEM, "{words}", {"words": words})
        if kind in ("alertmanager", "webhook") and not url.startswith((*_WEB, "${")):
            words = f"{masked(url)!r} does not begin with http:// or https://, as {kind} needs"
            raise PydanticCustomError(PROBLEM, "{words}", {"words": words})
        return url

    @field_validator("secret_env")
    @classmethod
    def _only_webhooks(cls, name: str, info: ValidationInfo) -> str:
        if name and info.data.get("kind") != "webhook":
            raise ValueError("only a webhook is signed; leave it out")
        return name

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables of the environment that its address needs."""
        return tuple(_VARIABLE.findall(self.url))

    @property
    def shown_url(self) -> str:
        """Its address for people."""
        return masked(self.url)

    def address(self, environ: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
        """Its address with what stands in the environment, and the variables that are missing there."""
        missing = tuple(name for name in self.variables if not environ.get(name))
        return _VARIABLE.sub(lambda found: environ.get(found[1], ""), self.url), missing


class RouteSettings(Settings):
    """Who is told what, and when."""

    channels: tuple[str, ...] = Field(min_length=1, max_length=50, description="The channels that are told.")
    severity: Severity = Field(default="low", description="From this severity on.")
    components: tuple[str, ...] = Field(
        default=("*",), min_length=1, max_length=100, description="Names or patterns, as db-*."
    )
    days: tuple[str, ...] = Field(default=DAYS, min_length=1, description="mon to sun.")
    begin: str = Field(default="00:00", description="From this time of day on, as 08:30, in the route's time.")
    end: str = Field(default="24:00", description="Before this time of day; earlier than begin: past midnight.")
    utc_offset_min: int = Field(default=0, ge=-840, le=840, description="The route's time ahead of UTC, minutes.")
    zone: str = Field(
        default="",
        max_length=256,
        description="The route's time zone, as Europe/Berlin, with its summer time; instead of utc_offset_min.",
    )

    @field_validator("channels", "components", mode="before")
    @classmethod
    def _one_is_enough(cls, names: object) -> object:
        return (names,) if isinstance(names, str) else names

    @field_validator("days")
    @classmethod
    def _known_days(cls, days: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [day for day in days if day not in DAYS]
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: no day; there are {', '.join(DAYS)}")
        return days

    @field_validator("begin", "end")
    @classmethod
    def _a_time(cls, text: str) -> str:
        if not _CLOCK.fullmatch(text) or _minutes(text) > _DAY_MIN:
            raise ValueError("a time of day is written hh:mm, from 00:00 to 24:00")
        return text

    @field_validator("zone")
    @classmethod
    def _a_zone(cls, zone: str, info: ValidationInfo) -> str:
        if zone and info.data.get("utc_offset_min"):
            raise ValueError("there is utc_offset_min, too; leave one of them out")
        if zone and not _is_zone(zone):
            raise ValueError(
                f"no time zone {zone!r} is known here; write it as Europe/Berlin (and see `pip install tzdata`)"
            )
        return zone

    def takes(self, *, component: str, severity: Severity, wall_s: float, offsets_min: Mapping[str, int]) -> bool:
        """Whether it is for a component, a severity and a moment.

        Args:
            component: What the alert is of.
            severity: How bad that is.
            wall_s: The moment, seconds since the Unix epoch.
            offsets_min: How far each zone is ahead of UTC then, minutes; one that is missing has no hours.
        """
        return (
            SEVERITIES.index(severity) >= SEVERITIES.index(self.severity)
            and any(fnmatchcase(component, pattern) for pattern in self.components)
            and self._is_open(wall_s, offsets_min)
        )

    def _is_open(self, wall_s: float, offsets_min: Mapping[str, int]) -> bool:
        """Whether it is open at a moment; what lasts past midnight belongs to the day on which it began."""
        offset_min = offsets_min.get(self.zone) if self.zone else self.utc_offset_min
        if offset_min is None:
            return True  # rather tell people at a wrong time than never
        minutes = int(wall_s // 60) + offset_min
        day, minute = (minutes // _DAY_MIN + DAYS.index("thu")) % len(DAYS), minutes % _DAY_MIN
        begin, end = _minutes(self.begin), _minutes(self.end)
        if begin < end:
            return DAYS[day] in self.days and begin <= minute < end
        late, early = minute >= begin, minute < end
        return (late and DAYS[day] in self.days) or (early and DAYS[day - 1] in self.days)


class NotifierSettings(Settings):
    """The channels, the routes, and what keeps people from being flooded."""

    channels: tuple[ChannelSettings, ...] = Field(default=(), max_length=100, description="The ways to people.")
    routes: tuple[RouteSettings, ...] = Field(default=(), max_length=1000, description="All that match are followed.")
    group_s: float = Field(default=2.0, ge=0, le=3600, description="What comes within so long is one message, seconds.")
    group_max: int = Field(default=50, ge=1, le=1000, description="Alerts in a message at most.")
    repeat_s: float = Field(
        default=3600.0, gt=0, le=30 * _DAY_S, description="What lasts is not told again before, seconds."
    )
    attempts: int = Field(
        default=8,
        ge=1,
        le=1000,
        description="How often a message is tried; then its alert is told anew if raised again after `retry_max_s`.",
    )
    retry_min_s: float = Field(default=1.0, gt=0, le=3600, description="The first wait between tries, seconds.")
    retry_max_s: float = Field(default=300.0, gt=0, le=_DAY_S, description="The longest such wait, seconds.")
    stale_s: float = Field(
        default=_DAY_S, gt=0, le=30 * _DAY_S, description="A message that waited longer for a notifier is dropped, s."
    )
    outbox_max: int = Field(
        default=1000,
        ge=1,
        le=100_000,
        description="Messages that wait; more are dropped, and made anew when there is room.",
    )
    alerts_max: int = Field(default=10_000, ge=1, le=1_000_000, description="Alerts that are remembered as told.")

    @field_validator("channels", mode="before")
    @classmethod
    def _nothing_shown(cls, channels: object) -> object:
        """What stands in the place of a channel may be an address with its secret: it is not repeated."""
        if not isinstance(channels, tuple | list):
            raise PydanticCustomError(PROBLEM, "is a list of channels, each with name, kind and url", {})
        wrong = [number for number, each in enumerate(channels) if not isinstance(each, dict | ChannelSettings)]
        if wrong:
            words = f"[{wrong[0]}] is no channel; write name, kind and url (what was given is not shown)"
            raise PydanticCustomError(PROBLEM, "{words}", {"words": words})
        return channels

    @field_validator("retry_max_s")
    @classmethod
    def _bounds_fit(cls, longest_s: float, info: ValidationInfo) -> float:
        shortest_s = info.data.get("retry_min_s", 0.0)
        if shortest_s > longest_s:
            raise ValueError(f"retry_min_s ({shortest_s:g}) is larger")
        return longest_s

    @property
    def zones(self) -> tuple[str, ...]:
        """The time zones of its routes, each once."""
        return tuple(dict.fromkeys(route.zone for route in self.routes if route.zone))

    @classmethod
    def problems_across(cls, data: object) -> tuple[str, ...]:
        """Channels have names of their own, and routes lead to channels that there are."""
        given: dict[str, Any] = data if isinstance(data, dict) else {}
        channels, routes = _items(given, "channels"), _items(given, "routes")
        names = [_field(each, "name") for each in channels]
        problems = [
            f"channels[{number}].name: {name!r} is taken; each channel has a name of its own"
            for number, name in enumerate(names)
            if isinstance(name, str) and name in names[:number]
        ]
        there = ", ".join(str(name) for name in names) or "none"
        for number, route in enumerate(routes):
            led = _field(route, "channels")
            asked = (led,) if isinstance(led, str) else led if isinstance(led, tuple | list) else ()
            problems += [
                f"routes[{number}].channels: there is no channel {name!r}; there are: {there}"
                for name in asked
                if name not in names
            ]
        return tuple(problems)


def _is_zone(name: str) -> bool:
    """Whether it is a time zone that is known here."""
    try:
        return ZoneInfo(name).key == name
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * _HOUR_MIN + int(minutes)


def _items(given: dict[str, Any], name: str) -> tuple[Any, ...]:
    found = given.get(name, ())
    return tuple(found) if isinstance(found, tuple | list) else ()


def _field(item: Any, name: str) -> Any:
    return item.get(name) if isinstance(item, dict) else getattr(item, name, None)
