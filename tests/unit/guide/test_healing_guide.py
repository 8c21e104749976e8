"""The guide to healing names what there is; its program is run in tests/ray_local."""

from __future__ import annotations

import re

import pytest
import yaml
from pydantic.fields import FieldInfo

import supervisor
from actors.healer.settings import HealerSettings, PlanRule
from actors.notifier.settings import ChannelSettings, NotifierSettings, RouteSettings
from actors.recovery.strategies import KINDS
from actors.runtime.settings import Settings
from supervisor.config import SupervisorConfig
from tests import guide

TEXT = guide.HEALING_GUIDE.read_text(encoding="utf-8")


def test_it_imports_what_there_is():
    names = re.findall(r"^from supervisor import (.+)$", guide.program(guide.HEALING_GUIDE), re.MULTILINE)
    assert {name.strip() for line in names for name in line.split(",")} <= set(supervisor.__all__)


def test_its_configurations_are_some():
    healing, notifying = (yaml.safe_load(text) for text in guide.blocks("yaml", guide.HEALING_GUIDE))
    plan = SupervisorConfig.load(healing).healer.plans[0]
    assert [type(each).__name__ for each in plan.strategies] == ["Restart", "Escalate"]
    assert [each.name for each in SupervisorConfig.load(notifying).notifier.channels] == ["mail", "alerts", "hook"]


SETTINGS: dict[str, type[Settings]] = {
    "healer": HealerSettings,
    "healer.plans": PlanRule,
    "notifier": NotifierSettings,
    "notifier.channels": ChannelSettings,
    "notifier.routes": RouteSettings,
}


@pytest.mark.parametrize("table", SETTINGS)
def test_every_setting_stands_in_its_table_with_its_default_and_what_it_means(table: str):
    """A default that is made of settings stands there by their names."""
    (rows,) = re.findall(rf"^\| below `{table}`.*\|\n\|[-|]+\|\n((?:\|.*\n)+)", TEXT, re.MULTILINE)
    written = re.findall(r"^\| `(\w+)` \| (required|`[^`]*`) \| (.*) \|$", rows, re.MULTILINE)
    fields = SETTINGS[table].model_fields
    assert written == [(name, _default(field), field.description) for name, field in fields.items()]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, tuple) and any(isinstance(each, Settings) for each in value):
        names = ", ".join(f"{type(each).__name__}()" for each in value)
        return f"`({names}{',' * (len(value) == 1)})`"
    return f"`{value!r}`"


def test_every_strategy_is_in_its_table_with_fields_that_there_are():
    rows = dict(re.findall(r"^\| `(\w+)\((.*?)\)` \|", TEXT, re.MULTILINE))
    assert rows.keys() == {kind.__name__ for kind in KINDS}
    for kind in KINDS:
        named = re.findall(r"[a-z_]+", re.sub(r"\(.*\)", "", rows[kind.__name__]))
        assert set(named) <= kind.model_fields.keys(), kind
