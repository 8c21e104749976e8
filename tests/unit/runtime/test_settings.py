"""A typo in a configuration is found, with its path and with what was meant."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError

from actors.runtime.errors import ConfigError
from actors.runtime.settings import Settings


class Inner(Settings):
    wait_s: float = Field(default=1.0, gt=0)


class Outer(Settings):
    name: str = "x"
    inner: Inner = Inner()
    maybe: Inner | None = None
    many: dict[str, Inner] = Field(default_factory=dict)


def test_good_data_is_taken() -> None:
    parsed = Outer.parse({"inner": {"wait_s": 2}, "many": {"a": {}}}, source="test")
    assert parsed == Outer(inner=Inner(wait_s=2.0), many={"a": Inner()})


def test_settings_are_frozen_and_a_typo_fails() -> None:
    with pytest.raises(ValidationError):
        Outer().name = "y"
    with pytest.raises(ConfigError, match="Outer: nam: unknown key"):
        Outer(nam="y")  # pyright: ignore[reportCallIssue]


@pytest.mark.parametrize("number", [float("inf"), float("nan")])
def test_every_number_is_finite(number: float) -> None:
    with pytest.raises(ConfigError, match=r"inner\.wait_s: .*finite"):
        Outer.parse({"inner": {"wait_s": number}}, source="test")


class Numbers(Settings):
    count: int = 0
    wait_s: float | None = None
    end_s: float | Literal["never"] = 1.0
    amounts: dict[str, float] = Field(default_factory=dict)
    limits: dict[str, dict[str, int]] = Field(default_factory=dict)
    windows_s: tuple[Annotated[float, Field(gt=0)], ...] = ()
    inner: Inner = Inner()
    is_on: bool = False
    word: bool | str = False
    value: bool | int | float = 0
    anything: Any = None
    all_things: tuple[Any, ...] = ()


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"count": True}, "count: True is no number"),
        ({"count": False}, "count: False is no number"),
        ({"wait_s": True}, "wait_s: True is no number"),
        ({"end_s": True}, "end_s: True is no number"),
        ({"amounts": {"a": 1, "b": True}}, "amounts: b: True is no number"),
        ({"limits": {"a": {"b": False}}}, "limits: a.b: False is no number"),
        ({"windows_s": [1, True]}, "windows_s: [1]: True is no number"),
        ({"inner": {"wait_s": True}}, "inner.wait_s: True is no number"),
    ],
)
def test_a_truth_is_no_number(data: dict[str, Any], problem: str) -> None:
    """YAML's `yes` and Python's True would be taken for 1."""
    with pytest.raises(ConfigError) as caught:
        Numbers.parse(data, source="test")
    assert caught.value.problems == (problem,)
    if "inner" not in data:
        with pytest.raises(ConfigError) as caught:
            Numbers(**data)
        assert caught.value.problems == (problem,)


def test_a_truth_is_taken_where_one_is_meant_and_numbers_as_ever() -> None:
    data: dict[str, Any] = {"is_on": True, "word": True, "value": True, "anything": True, "all_things": [True, [True]]}
    made = Numbers.parse(data, source="test")
    assert (made.is_on, made.word, made.value, made.anything) == (True, True, True, True)
    assert made.all_things == (True, [True])
    numbers = Numbers.parse({"count": "3", "wait_s": 2, "windows_s": [1, 2.5], "amounts": {"a": 1}}, source="test")
    assert (numbers.count, numbers.wait_s, numbers.windows_s, numbers.amounts) == (3, 2.0, (1.0, 2.5), {"a": 1.0})
    assert isinstance(numbers.wait_s, float)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"nam": 1}, "nam: unknown key; known keys here: inner, many, maybe, name"),
        ({"inner": {"wait": 1}}, "inner.wait: unknown key; known keys here: wait_s"),
        ({"maybe": {"wait": 1}}, "maybe.wait: unknown key; known keys here: wait_s"),
        ({"many": {"a": {"wait": 1}}}, "many.a.wait: unknown key; known keys here: wait_s"),
        ({"inner": {"wait_s": 0}}, "inner.wait_s: Input should be greater than 0 (given: 0)"),
        ([1], "(top level): Input should be a valid dictionary or instance of Outer (given: [1])"),
    ],
)
def test_a_problem_names_the_path_what_is_wrong_and_the_remedy(data: object, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Outer.parse(data, source="here.yaml")
    assert caught.value.problems == (problem,)
    assert str(caught.value) == f"here.yaml: {problem}"


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        Outer.parse({"nam": 1, "name": 2, "inner": {"wait_s": "soon"}}, source="test")
    assert [problem.partition(":")[0] for problem in caught.value.problems] == ["name", "inner.wait_s", "nam"]


class Named(Settings):
    alone = "name"

    name: str


def test_one_field_may_be_given_without_its_name_and_fails_with_it() -> None:
    given: Any = "x"
    make: Any = Named
    assert make(given) == Named(name="x")
    assert Named.parse({"name": "x"}, source="test") == Named(name="x")
    with pytest.raises(ConfigError, match="Named: name: Input should be a valid string"):
        make(7)
    with pytest.raises(TypeError):
        make("x", "y")


def test_fields_have_names_and_one_may_stand_alone() -> None:
    class Alone(Settings):
        alone = "wait_s"
        wait_s: float = 1.0

    make: Any = Inner
    with pytest.raises(TypeError, match=r"Inner takes its fields by name, as Inner\(wait_s=...\)"):
        make(2.0)
    other: Any = Alone
    assert other(2.0) == Alone(wait_s=2.0)
    with pytest.raises(TypeError, match=r"Alone takes its fields by name, as Alone\(wait_s=...\)"):
        other(2.0, 3.0)


class Pair(Settings):
    low: int = 0
    high: int = 0

    @classmethod
    def problems_across(cls, data: object) -> tuple[str, ...]:
        given: Any = data
        return ("low: is larger than high",) if given.get("low", 0) > given.get("high", 0) else ()


class Nest(Settings):
    pair: Pair = Pair()
    count: int = 0


class House(Settings):
    nest: Nest = Nest()


def test_what_does_not_fit_together_is_told_however_deep_it_stands_and_with_what_else_is_wrong() -> None:
    data: Any = {"nest": {"pair": {"low": 3, "high": 1}, "count": "x"}}
    with pytest.raises(ConfigError, match=r"nest\.pair\.low: is larger than high") as refused:
        House.parse(data, source="test")
    assert len(refused.value.problems) == 2
    with pytest.raises(ConfigError, match=r"House: nest\.pair\.low: is larger than high"):
        House(nest={"pair": {"low": 3, "high": 1}})  # pyright: ignore[reportArgumentType]
    assert House.parse({"nest": {"count": 2}}, source="test").nest.count == 2
