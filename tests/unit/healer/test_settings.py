"""What may be said of plans and bounds; what cannot be is refused with its path."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from actors.healer.settings import HealerSettings, PlanRule
from actors.recovery.retry import Retry
from actors.recovery.strategies import Escalate, Restart, UserStrategy
from actors.runtime.errors import ConfigError


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"strategies": ()}, "strategies: strategies: 0 were given"),
        ({"strategies": (Retry(), "restart")}, r"strategies: strategies\[1\]: 'restart' is none; there are Retry"),
        ({"severity": "bad"}, "severity: 'bad' is not one of low, medium, high, critical"),
        ({"component": ""}, "component"),
        ({"component": "a\nb"}, "component: has line ends or other unprintable characters; take them away"),
        ({"failure": "a\x00"}, "failure: has line ends"),
        ({"strategy": Retry()}, "strategy: unknown key"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=f"PlanRule: {problem}"):
        PlanRule(**fields)


@pytest.mark.parametrize(
    "field",
    ["in_flight", "incident_timeout_s", "record_timeout_s", "verify_s", "verify_every_s", "open_max", "learn_max"],
)
@pytest.mark.parametrize("value", [0, -1, float("inf"), "many"])
def test_every_bound_is_one(field: str, value: Any) -> None:
    given: dict[str, Any] = {field: value}
    with pytest.raises(ConfigError, match=f"HealerSettings: {field}"):
        HealerSettings(**given)


def test_the_default_plan_ends_with_people_and_settings_travel() -> None:
    settings = HealerSettings()
    assert settings.plans[0].strategies == (Retry(), Restart(), Escalate())
    assert pickle.loads(pickle.dumps(settings)) == settings


def test_a_file_names_strategies_and_says_what_is_other_than_usual():
    """As YAML gives it."""
    plan = {"component": "db", "strategies": ["retry", {"escalate": {"repeats": 2}}, {"strategy": {"name": "reindex"}}]}
    (rule,) = HealerSettings.parse({"plans": (plan,)}, source="file").plans
    assert rule.strategies == (Retry(), Escalate(repeats=2), UserStrategy(name="reindex"))


@pytest.mark.parametrize("word", ["mend", {"retry": {"attempts": 0}}, {"retry": {}, "restart": {}}, 3])
def test_a_file_cannot_name_others(word: Any):
    with pytest.raises(ConfigError):
        HealerSettings.parse({"plans": [{"component": "db", "strategies": [word]}]}, source="file")
