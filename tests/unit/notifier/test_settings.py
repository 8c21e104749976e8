"""Channels, routes and bounds: what is wrong is named, and no secret with it."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from actors.notifier.settings import NotifierSettings, RouteSettings
from actors.runtime.errors import ConfigError
from tests.unit.notifier.scene import NOON_S, channel

SECRET = "s3cret"
HOUR_S = 3600.0
DAY_S = 24 * HOUR_S


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"url": f"{SECRET}@example.com"}, "url: '***' is no address; write scheme://..."),
        ({"url": ""}, "url: '' is no address"),
        ({"url": f"slack://{SECRET}", "kind": "webhook"}, "url: 'slack://***' does not begin with http:// or https://"),
        ({"url": f"mailto://a:{SECRET}@b", "kind": "alertmanager"}, "as alertmanager needs"),
        ({"kind": "slack"}, "kind: 'slack' is not one of apprise, alertmanager, webhook"),
        ({"secret_env": "KEY"}, "secret_env: only a webhook is signed; leave it out"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"rate_per_min": 0}, "rate_per_min"),
    ],
)
def test_a_wrong_channel_is_named_and_its_secret_masked(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        channel(**fields)
    assert problem in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"channels": f"slack://{SECRET}"}, "channels: is a list of channels, each with name, kind and url"),
        ({"channels": [f"slack://{SECRET}"]}, "channels: [0] is no channel; write name, kind and url"),
        (
            {"channels": [{"name": "a", "url": f"{SECRET}"}]},
            "channels[0].url: '***' is no address",
        ),
        (
            {"channels": [{"name": "a", "url": "json://x"}, {"name": "a", "url": "json://y"}]},
            "channels[1].name: 'a' is taken",
        ),
        ({"routes": [{"channels": "a"}]}, "routes[0].channels: there is no channel 'a'; there are: none"),
        ({"routes": [{"channels": 7}]}, "routes[0].channels"),
        ({"routes": 7}, "routes"),
        ([], "(top level)"),
        (
            {"channels": [{"name": "a", "url": f"slack://{SECRET}"}], "retry_min_s": 9, "retry_max_s": 1},
            "retry_max_s: retry_min_s (9) is larger",
        ),
    ],
)
def test_wrong_settings_are_named_by_their_path_without_secrets(data: Any, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        NotifierSettings.parse(data, source="here.yaml")
    assert problem in str(caught.value)
    assert SECRET not in str(caught.value)


def test_routes_that_lead_to_channels_are_good_by_hand_too() -> None:
    settings = NotifierSettings(channels=(channel("a"),), routes=(RouteSettings(channels=("a",)),), retry_max_s=5.0)
    assert pickle.loads(pickle.dumps(settings)) == settings
    with pytest.raises(ConfigError, match="there is no channel 'b'; there are: a"):
        NotifierSettings(channels=(channel("a"),), routes=(RouteSettings(channels=("b",)),))


def test_secrets_come_from_the_environment_and_are_not_shown() -> None:
    made = channel(url="mailto://me:${PASSWORD}@${HOST}")
    assert made.address({"PASSWORD": SECRET, "HOST": "x"}) == (f"mailto://me:{SECRET}@x", ())
    assert made.address({"HOST": "x"}) == ("mailto://me:@x", ("PASSWORD",))
    assert channel(url="${ALL}", kind="webhook", secret_env="KEY").address({"ALL": "http://x"}) == ("http://x", ())
    inline = channel(url=f"slack://{SECRET}")
    assert SECRET not in repr(inline)
    assert inline.shown_url == "slack://***"


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"channels": ()}, "channels"),
        ({"days": ("mon", "someday")}, "days: someday: no day; there are mon, tue"),
        ({"begin": "8:00"}, "begin: a time of day is written hh:mm"),
        ({"end": "24:30"}, "end: a time of day is written hh:mm"),
        ({"severity": "bad"}, "severity"),
    ],
)
def test_a_wrong_route_is_named(fields: dict[str, Any], problem: str) -> None:
    given: dict[str, Any] = {"channels": ("a",)}
    with pytest.raises(ConfigError, match=f"RouteSettings: {problem}"):
        RouteSettings(**(given | fields))


def _takes(wall_s: float, **fields: Any) -> bool:
    given: dict[str, Any] = {"channels": "a"}
    return RouteSettings(**(given | fields)).takes(
        component="db-1", severity="medium", wall_s=wall_s, offsets_min={"Asia/Tokyo": 540}
    )


def test_by_severity_and_component() -> None:
    assert _takes(NOON_S)
    assert _takes(NOON_S, severity="medium", components="db-*")
    assert not _takes(NOON_S, severity="high")
    assert not _takes(NOON_S, components=("web", "api"))


@pytest.mark.parametrize(
    ("fields", "hours"),
    [
        ({"begin": "09:00", "end": "17:00"}, range(9, 17)),
        ({"begin": "09:00", "end": "17:00", "utc_offset_min": 60}, range(8, 16)),
        ({"begin": "09:00", "end": "17:00", "zone": "Asia/Tokyo"}, range(8)),
        ({"days": ("wed",)}, range(24)),
        ({"days": ("thu",)}, range(0)),
        ({"begin": "20:00", "end": "06:00"}, [*range(6), *range(20, 24)]),
        ({"begin": "20:00", "end": "06:00", "days": ("wed",)}, range(20, 24)),
        ({"begin": "20:00", "end": "06:00", "days": ("tue",)}, range(6)),
    ],
)
def test_by_day_and_time(fields: dict[str, Any], hours: Any) -> None:
    midnight_s = NOON_S - 12 * HOUR_S
    assert [hour for hour in range(24) if _takes(midnight_s + hour * HOUR_S, **fields)] == list(hours)


def test_a_zone_that_is_not_known_where_people_are_told_from_has_no_hours() -> None:
    assert _takes(NOON_S, begin="01:00", end="02:00", zone="Europe/Berlin")
    route = {"channels": ("a",), "zone": "Asia/Tokyo"}
    made = NotifierSettings(channels=(channel(name="a"),), routes=(route, route, {"channels": ("a",)}))  # pyright: ignore[reportArgumentType] - as a file has them
    assert made.zones == ("Asia/Tokyo",)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"zone": "Middle/Earth"}, "no time zone 'Middle/Earth' is known here"),
        ({"zone": "../etc/passwd"}, "no time zone"),
        ({"zone": "Europe/Berlin", "utc_offset_min": 60}, "leave one of them out"),
    ],
)
def test_a_zone_that_is_none_is_named(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        RouteSettings(channels=("a",), **fields)
