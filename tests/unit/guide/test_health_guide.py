"""The guide to health names what there is, with the defaults that it has; its program runs in tests/ray_local."""

from __future__ import annotations

import re

import actors.health.probes
from actors.event_log.health_schema import HEALTH_TABLES
from actors.health.running import THREADS_MAX
from actors.health.settings import MonitorSettings
from supervisor import probes
from supervisor.health.health import Health
from tests import guide

TEXT = guide.HEALTH_GUIDE.read_text(encoding="utf-8")


def test_every_setting_stands_there_with_its_default() -> None:
    written = dict(guide.settings(guide.HEALTH_GUIDE))
    assert written == {name: repr(field.default) for name, field in MonitorSettings.model_fields.items()}


def test_every_ready_made_probe_stands_there() -> None:
    named = set(re.findall(r"`probes\.(\w+)", TEXT))
    assert named == set(probes.__all__) - {"watch_loop"}
    assert set(probes.__all__) == set(actors.health.probes.__all__)


def test_what_it_calls_there_is() -> None:
    called = set(re.findall(r"health\.(\w+)\(", TEXT))
    assert all(hasattr(Health, name) for name in called)
    assert f"at most {THREADS_MAX} threads" in TEXT
    assert all(table.name in TEXT for table in HEALTH_TABLES if table.name != "recorded_component_health")
