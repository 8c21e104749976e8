"""What a probe's value must be. Pure.

As a file has them, they are Chaos Toolkit's: a bare value is equality, a list of two numbers is a range, another list
is a choice, a mapping has a type. What it does not know, it takes for a probe of a probe, whose function is ours:

    tolerance: {type: probe, name: ..., provider: {type: python, module: experiments.driver, func: health_is,
                arguments: {least: 80}}}
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self, cast

from jsonpath import JSONPathError
from jsonpath import compile as compile_path
from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from actors.runtime.settings import PROBLEM, Settings, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

Yields = Literal["number", "text", "rows", "any"]
"""What kind of value a probe gives."""

Scalar = bool | int | float | str

_PAIR = 2


@dataclass(frozen=True, slots=True)
class Judged:
    """What a tolerance says of a value.

    Attributes:
        held: Whether the value is within it; None if it cannot be judged: there is none, or one of the wrong type.
        why: The value against the tolerance, in words.
    """

    held: bool | None
    why: str


class Tolerance(Settings):
    """The base of them all."""

    def judge(self, value: object) -> Judged:
        """Hold a probe's value against it."""
        raise NotImplementedError(f"{type(self).__name__} judges nothing: use one of the tolerances below it")

    @property
    def takes(self) -> frozenset[Yields]:
        """The kinds of value that it can judge."""
        return frozenset(("number", "text", "rows", "any"))


class Equals(Tolerance):
    """This very value: true is not 1."""

    value: Scalar = Field(description="The value.")

    def judge(self, value: object) -> Judged:
        if _kind(value) != _kind(self.value):
            return Judged(None, f"{shown(value)} is no {_kind(self.value)}")
        return Judged(value == self.value, f"{shown(value)}, and {shown(self.value)} is expected")

    @property
    def takes(self) -> frozenset[Yields]:
        return frozenset({"any", *_yielded(self.value)})


class OneOf(Tolerance):
    """One of these values."""

    values: tuple[Scalar, ...] = Field(min_length=1, max_length=1000, description="The values.")

    def judge(self, value: object) -> Judged:
        if _kind(value) not in {_kind(each) for each in self.values}:
            return Judged(None, f"{shown(value)} is of another type than {shown(self.values)}")
        found = any(value == each and _kind(value) == _kind(each) for each in self.values)
        return Judged(found, f"{shown(value)}, one of {shown(list(self.values))} is expected")

    @property
    def takes(self) -> frozenset[Yields]:
        kinds: set[Yields] = {"any"}
        return frozenset(kinds.union(*map(_yielded, self.values)))


class Range(Tolerance):
    """A number from `least` to `most`, both included."""

    least: float = Field(description="The smallest that is good.")
    most: float = Field(description="The largest that is good.")

    @model_validator(mode="after")
    def _right_way_round(self) -> Self:
        if self.least > self.most:
            raise _problem(f"range: {self.least:g} is more than {self.most:g}; the smaller comes first")
        return self

    def judge(self, value: object) -> Judged:
        return _within(value, self.least, self.most)

    @property
    def takes(self) -> frozenset[Yields]:
        return frozenset(("number", "any"))


class Regex(Tolerance):
    """A text in which the pattern is found."""

    pattern: str = Field(min_length=1, max_length=10_000, description="A regular expression of Python.")

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, given: str) -> str:
        try:
            re.compile(given)
        except re.error as error:
            raise _problem(f"{shown(given)} is no regular expression: {error}") from None
        return given

    def judge(self, value: object) -> Judged:
        if not isinstance(value, str):
            return Judged(None, f"{shown(value)} is no text")
        return Judged(re.search(self.pattern, value) is not None, f"{shown(value)} against /{self.pattern}/")

    @property
    def takes(self) -> frozenset[Yields]:
        return frozenset(("text", "any"))


class JsonPath(Tolerance):
    """What a path finds in a value: anything, so many, or these."""

    path: str = Field(min_length=1, max_length=10_000, description="A JSON path (RFC 9535), from $ on.")
    count: int | None = Field(default=None, ge=0, description="How many it must find.")
    expect: tuple[Any, ...] | None = Field(default=None, description="What it must find, in this order.")

    @field_validator("path")
    @classmethod
    def _compiles(cls, given: str) -> str:
        try:
            compile_path(given)
        except JSONPathError as error:
            raise _problem(f"{shown(given)} is no JSON path: {error}") from None
        return given

    @field_validator("expect", mode="before")
    @classmethod
    def _one_alone(cls, given: object) -> object:
        return given if given is None or isinstance(given, list | tuple) else (given,)

    def judge(self, value: object) -> Judged:
        if isinstance(value, str | bytes):
            try:
                value = json.loads(value)
            except ValueError:
                return Judged(None, f"{shown(value)} is no JSON")
        if not isinstance(value, dict | list):
            return Judged(None, f"{shown(value)} has nothing that a path could find")
        found = compile_path(self.path).findall(cast("Any", value))
        told = f"{self.path} finds {shown(found)}"
        if self.expect is not None:
            return Judged(found == list(self.expect), f"{told}, {shown(list(self.expect))} is expected")
        if self.count is not None:
            return Judged(len(found) == self.count, f"{told}, {self.count} are expected")
        return Judged(bool(found), told)

    @property
    def takes(self) -> frozenset[Yields]:
        return frozenset(("rows", "any", "text"))


class Rows(Tolerance):
    """The rows that a query of the event log gives: so many, and in each of them a column within bounds."""

    rows_least: int = Field(default=0, ge=0, description="So many rows at least.")
    rows_most: int | None = Field(default=None, ge=0, description="So many rows at most.")
    column: str | None = Field(default=None, min_length=1, max_length=256, description="A column of numbers.")
    least: float | None = Field(default=None, description="The smallest number that is good.")
    most: float | None = Field(default=None, description="The largest number that is good.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        bounded = self.least is not None or self.most is not None
        if bounded != (self.column is not None):
            raise _problem("column: it belongs with least or most: give both, or neither")
        if not bounded and self.rows_least == 0 and self.rows_most is None:
            raise _problem("every result would be good; give rows_least, rows_most, or a column with least or most")
        return self

    def judge(self, value: object) -> Judged:
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in cast("list[object]", value)):
            return Judged(None, f"{shown(value)} are no rows")
        rows = cast("list[dict[str, object]]", value)
        most = math.inf if self.rows_most is None else self.rows_most
        if not self.rows_least <= len(rows) <= most:
            upper = "" if self.rows_most is None else f", {self.rows_most} at most"
            return Judged(False, f"{len(rows)} rows, {self.rows_least} at least{upper} are expected")  # noqa: FBT003 - the verdict
        if self.column is None:
            return Judged(True, f"{len(rows)} rows")  # noqa: FBT003 - the verdict
        return self._judge_column(rows, self.column)

    def _judge_column(self, rows: list[dict[str, object]], column: str) -> Judged:
        least = -math.inf if self.least is None else self.least
        most = math.inf if self.most is None else self.most
        for number, row in enumerate(rows):
            judged = _within(row.get(column), least, most)
            if judged.held is not True:
                return Judged(judged.held, f"row {number}, {column}: {judged.why}")
        return Judged(True, f"{column} is within bounds in {len(rows)} rows")  # noqa: FBT003 - the verdict

    @property
    def takes(self) -> frozenset[Yields]:
        return frozenset(("rows",))


class HealthIs(Tolerance):
    """A health score of at least so much."""

    least: float = Field(ge=0, le=100, description="The lowest score that is good, 0 to 100.")

    def judge(self, value: object) -> Judged:
        return _within(value, self.least, 100.0)

    @property
    def takes(self) -> frozenset[Yields]:
        return frozenset(("number",))


class BurnIs(Tolerance):
    """An error budget burned no faster than this; 1 spends it just as fast as it is given."""

    most: float = Field(ge=0, le=10_000, description="The highest burn rate that is good.")

    def judge(self, value: object) -> Judged:
        return _within(value, 0.0, self.most)

    @property
    def takes(self) -> frozenset[Yields]:
        return frozenset(("number",))


def _within(value: object, least: float, most: float) -> Judged:
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        return Judged(None, f"{shown(value)} is no number")
    return Judged(least <= value <= most, f"{value:g}, {least:g} to {most:g} is expected")


def _yielded(value: Scalar) -> tuple[Yields, ...]:
    """What kind of a probe could give that value: none of ours gives yes or no."""
    if isinstance(value, bool):
        return ()
    return ("text",) if isinstance(value, str) else ("number",)


def _kind(value: object) -> str:
    match value:
        case bool():
            return "yes or no"
        case int() | float():
            return "number"
        case str():
            return "text"
        case _:
            return type(value).__name__


def _problem(words: str) -> PydanticCustomError:
    return PydanticCustomError(PROBLEM, "{words}", {"words": words})


OURS: Mapping[str, type[Tolerance]] = {"rows_are": Rows, "health_is": HealthIs, "burn_is": BurnIs}
"""Tolerances that a file writes as a probe, by the function that Chaos Toolkit calls."""


def is_pair(value: object) -> bool:
    """Whether a list of a file is a range rather than a choice, as Chaos Toolkit has it."""
    return isinstance(value, list) and len(cast("list[object]", value)) == _PAIR
