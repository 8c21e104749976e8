"""Tolerances as a file has them are Chaos Toolkit's, and judge alike there."""

from __future__ import annotations

from typing import Any

import pytest
from chaoslib.hypothesis import ensure_hypothesis_tolerance_is_valid, within_tolerance

from actors.runtime.errors import ConfigError
from experiments.model.tolerance_file import parse_tolerance, written
from experiments.model.tolerances import BurnIs, Equals, HealthIs, JsonPath, OneOf, Range, Regex, Rows, Tolerance

ALL: list[tuple[Tolerance, Any, Any]] = [
    (Equals(value=3), 3, 4),
    (Equals(value="closed"), "closed", "open"),
    (Equals(value=True), True, False),
    (OneOf(values=(1, 2, 3)), 2, 4),
    (Range(least=1, most=2), 1.5, 3),
    (Regex(pattern="^clos"), "closed", "open"),
    (JsonPath(path="$.a[*].b", count=1), {"a": [{"b": 1}]}, {"a": []}),
    (Rows(rows_most=0), [], [{"a": 1}]),
    (Rows(column="a", most=2.0), [{"a": 1}], [{"a": 3}]),
    (HealthIs(least=80), 90, 70),
    (BurnIs(most=2), 1, 3),
]


@pytest.mark.parametrize(("tolerance", "good", "bad"), ALL)
def test_what_is_written_is_read_again_and_means_the_same_to_chaos_toolkit(
    tolerance: Tolerance, good: Any, bad: Any
) -> None:
    data = written(tolerance)
    assert parse_tolerance(data, source="t") == tolerance
    ensure_hypothesis_tolerance_is_valid(data)
    assert [tolerance.judge(value).held for value in (good, bad)] == [True, False]
    assert [within_tolerance(data, value) for value in (good, bad)] == [True, False]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (0.5, "a fraction alone"),
        (None, "is no tolerance"),
        (["a", "b"], "a list of two is a range"),
        ([2, 1], "the smaller comes first"),
        ([], "values: "),
        ({"type": "range", "range": 3}, "range: must be two numbers"),
        ({"type": "rnge"}, "is not one of range, regex, jsonpath, probe"),
        ({"type": "regex", "patern": "x"}, "patern: unknown key"),
        ({"type": "probe"}, "provider.module: must be experiments.driver"),
        (
            {"type": "probe", "provider": {"type": "python", "module": "experiments.driver", "func": "x"}},
            "provider.func: 'x'",
        ),
        (
            {
                "type": "probe",
                "provider": {"type": "python", "module": "experiments.driver", "func": "health_is", "arguments": {}},
            },
            "provider.arguments.least: is missing",
        ),
    ],
)
def test_what_is_none_is_told(data: object, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_tolerance(data, source="t")
    assert any(words in problem for problem in caught.value.problems), caught.value.problems


def test_a_list_of_two_numbers_is_a_range_and_another_list_is_a_choice() -> None:
    assert parse_tolerance([1, 2], source="t") == Range(least=1, most=2)
    assert parse_tolerance(["a", "b", "c"], source="t") == OneOf(values=("a", "b", "c"))
    with pytest.raises(TypeError, match="cannot be written"):
        written(Tolerance())
