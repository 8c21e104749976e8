"""The guide to healing names what there is; its program is run in tests/ray_local."""

from __future__ import annotations

import re

import yaml

import supervisor
from actors.recovery.strategies import KINDS
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


def test_every_strategy_is_in_its_table_with_fields_that_there_are():
    rows = dict(re.findall(r"^\| `(\w+)\((.*?)\)` \|", TEXT, re.MULTILINE))
    assert rows.keys() == {kind.__name__ for kind in KINDS}
    for kind in KINDS:
        named = re.findall(r"[a-z_]+", re.sub(r"\(.*\)", "", rows[kind.__name__]))
        assert set(named) <= kind.model_fields.keys(), kind
