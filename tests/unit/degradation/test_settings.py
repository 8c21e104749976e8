"""What may be said of levels, rules, features and overrides; what contradicts itself is refused with its path."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from actors.degradation.settings import (
    DegradationSettings,
    FeatureSettings,
    LevelRule,
    OverrideSettings,
    problems_of_level,
)
from actors.runtime.errors import ConfigError
from tests.unit.degradation.scene import BREAKER, QUEUE, SCORE


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"signal": "score"}, "signal: 'score' is not one of"),
        ({"signal": "component_score"}, "component_score needs of: whose?"),
        ({"of": "db"}, "system_score is of all components; leave of out"),
        ({"enter": 70, "leave": 70}, r"system_score is bad when low: enter \(70\) must be worse than leave \(70\)"),
        (
            {"signal": "budget_burn", "enter": 1, "leave": 2},
            r"budget_burn is bad when high: enter \(1\) must be worse than leave \(2\)",
        ),
        ({"enter": float("nan")}, "enter"),
        ({"at_onec": True}, "at_onec: unknown key"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(fields: dict[str, Any], problem: str) -> None:
    given: dict[str, Any] = {"level": "minimal", "signal": "system_score", "enter": 50, "leave": 70}
    with pytest.raises(ConfigError, match=problem):
        LevelRule(**(given | fields))


def test_rules_know_their_side() -> None:
    assert [SCORE.is_entered(value) for value in (49, 50, 51)] == [True, True, False]
    assert [SCORE.is_left(value) for value in (69, 70)] == [False, True]
    assert [QUEUE.is_entered(value) for value in (0.89, 0.9)] == [False, True]
    assert [QUEUE.is_left(value) for value in (0.51, 0.5)] == [False, True]
    assert str(BREAKER) == "breaker_openness of db at 1 asks for reduced"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"levels": ["a"]}, "levels"),
        ({"levels": ["a", "a"]}, "levels: each level has a name of its own"),
        ({"levels": ["a", ""]}, "levels: each level has a name of its own"),
        ({"levels": ["a", "b\n"]}, r"levels: 'b\\n' has line ends or other unprintable characters; take them away"),
        ({"dwell_up_s": -1}, "dwell_up_s"),
        ({"rules": 7}, "rules"),
        ({"levels": 7}, "levels"),
        (7, "top level"),
        (
            {"rules": [{"level": "full", "signal": "queue_pressure", "enter": 1, "leave": 0}]},
            r"rules\[0\].level: 'full' is no level to degrade to; there are reduced, minimal, emergency",
        ),
        ({"rules": [{"level": 3}]}, r"rules\[0\].level"),
    ],
)
def test_settings_that_cannot_be_are_refused(data: Any, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        DegradationSettings.parse(data, source="here.yaml")


def test_rules_made_by_hand_are_checked_against_the_levels_too() -> None:
    with pytest.raises(ConfigError, match=r"rules\[1\].level: 'minimal' is no level to degrade to; there are poor"):
        DegradationSettings(levels=("rich", "poor"), rules=(SCORE.model_copy(update={"level": "poor"}), QUEUE))
    assert DegradationSettings(levels=("rich", "poor")).rules == ()


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"name": ""}, "name"),
        ({"rollout": 101}, "rollout"),
        ({"rollout": float("nan")}, "rollout"),
        ({"limits": {"x": 3}}, "limits.x"),
        ({"limits": {"x": {"full": "many"}}}, "limits.x.full"),
    ],
)
def test_a_feature_that_cannot_be_is_refused(fields: dict[str, Any], problem: str) -> None:
    given: dict[str, Any] = {"name": "chat"}
    with pytest.raises(ConfigError, match=f"FeatureSettings: {problem}"):
        FeatureSettings(**(given | fields))


@pytest.mark.parametrize("until_s", [0, -5, float("inf"), float("nan")])
def test_an_override_in_the_past_or_without_an_end_is_refused(until_s: float) -> None:
    with pytest.raises(ConfigError, match="OverrideSettings: until_s"):
        OverrideSettings(level="full", who="ann", reason="why", until_s=until_s)


@pytest.mark.parametrize("field", ["who", "reason", "level"])
def test_an_override_says_who_and_why(field: str) -> None:
    given: dict[str, Any] = {"level": "full", "who": "ann", "reason": "why", field: ""}
    with pytest.raises(ConfigError, match=field):
        OverrideSettings(**given)


def test_a_level_is_looked_up() -> None:
    assert problems_of_level("a", ("a", "b")) == ()
    assert problems_of_level("c", ("a", "b")) == ("level: 'c' is not one of a, b",)


def test_settings_travel() -> None:
    settings = DegradationSettings(rules=(SCORE, BREAKER))
    assert pickle.loads(pickle.dumps(settings)) == settings
