"""What may be said of a probe and of the monitor, and what is refused with its name."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from actors.health.settings import MonitorSettings, ProbeSettings
from actors.runtime.errors import ConfigError
from tests.unit.health.scene import probe


def test_names_and_defaults_are_the_contract() -> None:
    assert probe().model_dump() == {
        "component": "db",
        "kind": "liveness",
        "interval_s": 1.0,
        "timeout_s": 0.5,
        "failures": 3,
        "successes": 1,
        "delay_s": 0.0,
        "weight": 1.0,
        "critical": False,
        "depends_on": (),
        "on": None,
        "phi": None,
    }


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"component": ""}, "component"),
        ({"component": "a\nb"}, "component: has line ends or other unprintable characters; take them away"),
        ({"depends_on": ("a", "\x1b[31mb")}, "depends_on: '.x1b.31mb' has line ends"),
        ({"kind": "livenes"}, "kind: 'livenes' is not one of startup, liveness, readiness"),
        ({"interval_s": 0}, "interval_s"),
        ({"interval_s": float("nan")}, "interval_s"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"failures": 0}, "failures"),
        ({"successes": 0}, "successes"),
        ({"delay_s": -1}, "delay_s"),
        ({"weight": -1}, "weight"),
        ({"weight": float("inf")}, "weight"),
        ({"on": "somewhere"}, "on: no such place; give None, node:<id>, child:<key> or every_node"),
        ({"on": "node:"}, "on: no such place"),
        ({"phi": 0}, "phi"),
        ({"intervall_s": 1}, "intervall_s: unknown key"),
    ],
)
def test_what_cannot_be_is_refused_with_its_name(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=f"ProbeSettings: {problem}"):
        probe(**fields)


def test_what_is_needed_is_named() -> None:
    with pytest.raises(ConfigError, match="interval_s: is missing"):
        ProbeSettings.parse({"component": "db", "timeout_s": 1}, source="health.register")


@pytest.mark.parametrize("on", [None, "every_node", "node:abc", "child:cart"])
def test_places(on: str | None) -> None:
    assert probe(on=on).on == on


def test_one_dependency_need_not_be_a_tuple_and_settings_travel() -> None:
    settings = probe(depends_on="cache")
    assert settings.depends_on == ("cache",)
    assert pickle.loads(pickle.dumps(settings)) == settings


def test_windows_of_availability_are_the_users() -> None:
    assert MonitorSettings(windows_s=(60.0,)).windows_s == (60.0,)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"flap_changes": 2}, "flap_changes"),
        ({"blind_after_s": 0}, "blind_after_s"),
        ({"cut_off_share": 1.5}, "cut_off_share"),
        ({"windows_s": ()}, "windows_s"),
        ({"windows_s": (0.0,)}, "windows_s: a window is longer than 0 seconds and not over a year"),
        ({"trend_least": 2}, "trend_least"),
        ({"trend_confidence": 1.0}, "trend_confidence"),
    ],
)
def test_the_monitors_too(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=f"MonitorSettings: {problem}"):
        MonitorSettings(**fields)
