"""A tolerance judges values of its type, and says of others that it cannot."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.runtime.errors import ConfigError
from experiments.model.tolerances import (
    BurnIs,
    Equals,
    HealthIs,
    JsonPath,
    OneOf,
    Range,
    Regex,
    Rows,
    Tolerance,
)

HELD, NOT, UNKNOWN = True, False, None


@pytest.mark.parametrize(
    ("tolerance", "value", "held"),
    [
        (Equals(value=3), 3, HELD),
        (Equals(value=3), 3.0, HELD),
        (Equals(value=3), 4, NOT),
        (Equals(value=1), True, UNKNOWN),
        (Equals(value=True), True, HELD),
        (Equals(value="a"), "b", NOT),
        (Equals(value="a"), None, UNKNOWN),
        (OneOf(values=(1, 2, 3)), 2, HELD),
        (OneOf(values=(1, 2, 3)), 5, NOT),
        (OneOf(values=(1, 2, 3)), "1", UNKNOWN),
        (OneOf(values=(1, True)), True, HELD),
        (Range(least=1, most=2), 1, HELD),
        (Range(least=1, most=2), 2.0, HELD),
        (Range(least=1, most=2), 2.1, NOT),
        (Range(least=1, most=2), True, UNKNOWN),
        (Range(least=1, most=2), float("nan"), UNKNOWN),
        (Range(least=1, most=2), "1", UNKNOWN),
        (Regex(pattern="^clos"), "closed", HELD),
        (Regex(pattern="^clos"), "open", NOT),
        (Regex(pattern="^clos"), 3, UNKNOWN),
        (JsonPath(path="$.a[*].b"), {"a": [{"b": 1}]}, HELD),
        (JsonPath(path="$.a[*].b"), {"a": []}, NOT),
        (JsonPath(path="$.a[*].b"), '{"a": [{"b": 0}]}', HELD),
        (JsonPath(path="$.a[*].b"), "no json", UNKNOWN),
        (JsonPath(path="$.a[*].b"), 3, UNKNOWN),
        (JsonPath(path="$.a[*].b", count=2), {"a": [{"b": 1}, {"b": 2}]}, HELD),
        (JsonPath(path="$.a[*].b", count=2), {"a": [{"b": 1}]}, NOT),
        (JsonPath(path="$.a[*].b", expect=(1,)), {"a": [{"b": 1}]}, HELD),
        (JsonPath(path="$.a[*].b", expect=(2,)), {"a": [{"b": 1}]}, NOT),
        (Rows(rows_most=0), [], HELD),
        (Rows(rows_most=0), [{"a": 1}], NOT),
        (Rows(rows_most=0), 0, UNKNOWN),
        (Rows(rows_least=1), [], NOT),
        (Rows(column="a", most=3), [{"a": 1}, {"a": 3}], HELD),
        (Rows(column="a", most=3), [{"a": 1}, {"a": 4}], NOT),
        (Rows(column="a", least=3), [{"b": 1}], UNKNOWN),
        (HealthIs(least=80), 80, HELD),
        (HealthIs(least=80), 79.9, NOT),
        (HealthIs(least=80), None, UNKNOWN),
        (BurnIs(most=1), 0.5, HELD),
        (BurnIs(most=1), 14, NOT),
        (BurnIs(most=1), "x", UNKNOWN),
    ],
)
def test_values_are_judged(tolerance: Tolerance, value: object, held: bool | None) -> None:
    judged = tolerance.judge(value)
    assert judged.held is held
    assert judged.why


def test_the_base_judges_nothing() -> None:
    with pytest.raises(NotImplementedError, match="use one of"):
        Tolerance().judge(1)
    assert "any" in Tolerance().takes


@pytest.mark.parametrize(
    ("model", "data", "words"),
    [
        (Range, {"least": 2, "most": 1}, "the smaller comes first"),
        (Range, {"least": 2, "most": float("inf")}, "finite"),
        (Regex, {"pattern": "("}, "is no regular expression"),
        (JsonPath, {"path": "$["}, "is no JSON path"),
        (Rows, {}, "every result would be good"),
        (Rows, {"column": "a"}, "it belongs with"),
        (Rows, {"least": 1}, "it belongs with"),
        (HealthIs, {"least": 101}, "less than or equal to 100"),
        (BurnIs, {"most": -1}, "greater than or equal to 0"),
    ],
)
def test_what_judges_nothing_is_refused(model: type[Tolerance], data: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        model.parse(data, source="t")


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_no_value_breaks_a_tolerance(value: object) -> None:
    for tolerance in (
        Equals(value=1),
        Range(least=0, most=1),
        Regex(pattern="a"),
        JsonPath(path="$[*]"),
        Rows(rows_most=1),
    ):
        assert tolerance.judge(value).held in (True, False, None)
