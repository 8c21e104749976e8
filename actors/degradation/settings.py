"""What a user says of levels, of what brings them about, and of features. Pure.

Levels are written from the fullest to the poorest. A rule asks for a level while its signal is bad: it begins at
`enter` and ends at `leave`, and in the band between the two nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, Self

from pydantic import Field, StrictBool, field_validator, model_validator

from actors.runtime.settings import Settings
from actors.runtime.wording import line, lines

LEVELS = ("full", "reduced", "minimal", "emergency")

SignalKind = Literal["system_score", "component_score", "breaker_openness", "queue_pressure", "budget_burn"]
"""Scores are 0 to 100 and bad when low. Openness is 0 (closed) to 1 (open), pressure 0 to 1, burn a multiple of what
the error budget allows: these are bad when high."""

LOW_IS_BAD: tuple[SignalKind, ...] = ("system_score", "component_score")

_NAMED: tuple[SignalKind, ...] = ("component_score", "breaker_openness")
_DAY_S = 86_400.0
_NAME_LIMIT = 256


class LevelRule(Settings):
    """One reason to degrade."""

    level: str = Field(min_length=1, max_length=_NAME_LIMIT, description="The level that it asks for.")
    signal: SignalKind = Field(description="What it looks at.")
    of: str = Field(
        default="",
        max_length=_NAME_LIMIT,
        description="The component or breaker; for queues and budgets empty means the worst of them.",
    )
    enter: float = Field(description="It begins when the signal is as bad as this, or worse.")
    leave: float = Field(description="It ends when the signal is as good as this, or better.")
    at_once: bool = Field(
        default=False, description="It goes to its level at once, without waiting and without the steps between."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problems: list[str] = []
        if self.signal in _NAMED and not self.of:
            problems.append(f"{self.signal} needs of: whose?")
        if self.signal == "system_score" and self.of:
            problems.append("system_score is of all components; leave of out, or take component_score")
        is_low = self.signal in LOW_IS_BAD
        if (self.enter >= self.leave) if is_low else (self.enter <= self.leave):
            problems.append(
                f"{self.signal} is bad when {'low' if is_low else 'high'}: enter ({self.enter:g}) must be worse than "
                f"leave ({self.leave:g}), with a band between them in which nothing changes"
            )
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def is_entered(self, value: float) -> bool:
        """Whether a value begins it."""
        return value <= self.enter if self.signal in LOW_IS_BAD else value >= self.enter

    def is_left(self, value: float) -> bool:
        """Whether a value ends it."""
        return value >= self.leave if self.signal in LOW_IS_BAD else value <= self.leave

    def __str__(self) -> str:
        return f"{self.signal}{f' of {self.of}' if self.of else ''} at {self.enter:g} asks for {self.level}"


class BudgetSettings(Settings):
    """What of the tasks of a pool may fail, and how it is watched how fast that is used up."""

    objective: float = Field(default=0.999, gt=0, lt=1, description="The part of the tasks that is to succeed.")
    window_s: float = Field(default=300.0, ge=1, le=_DAY_S, description="The window that is looked at, seconds.")
    tasks_min: int = Field(default=20, ge=1, description="Fewer tasks in the window say nothing.")
    every_s: float = Field(default=5.0, gt=0, le=3600, description="How often it is looked at, seconds.")


class DegradationSettings(Settings):
    """The levels, and how they change."""

    levels: tuple[str, ...] = Field(
        default=LEVELS, min_length=2, max_length=20, description="From the fullest to the poorest."
    )
    rules: tuple[LevelRule, ...] = Field(default=(), max_length=1000, description="What asks for a level.")
    dwell_down_s: float = Field(
        default=5.0,
        ge=0,
        le=_DAY_S,
        description="A rule must ask for so long, and a level last so long, before a step down, seconds.",
    )
    dwell_up_s: float = Field(
        default=30.0,
        ge=0,
        le=_DAY_S,
        description="No rule must ask for so long, and a level last so long, before a step up, seconds.",
    )
    features_max: int = Field(default=1000, ge=1, le=100_000, description="Features that may be declared.")
    budget: BudgetSettings = Field(
        default_factory=BudgetSettings, description="What budget_burn is measured against, of tasks by pool."
    )

    @field_validator("levels")
    @classmethod
    def _distinct(cls, levels: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(levels)) < len(levels) or not all(levels):
            raise ValueError("each level has a name of its own")
        lines(levels)
        return levels

    @classmethod
    def problems_across(cls, data: object) -> tuple[str, ...]:
        """A rule asks for a level that there is, and for one that degrades."""
        given: dict[str, Any] = data if isinstance(data, dict) else {}
        levels, rules = given.get("levels", LEVELS), given.get("rules", ())
        if not isinstance(levels, tuple | list) or not isinstance(rules, tuple | list):
            return ()
        asked = [each.get("level") if isinstance(each, dict) else getattr(each, "level", None) for each in rules]
        poorer = levels[1:]
        return tuple(
            f"rules[{number}].level: {level!r} is no level to degrade to; there are {', '.join(map(str, poorer))}"
            for number, level in enumerate(asked)
            if isinstance(level, str) and level not in poorer
        )


class FeatureSettings(Settings):
    """One feature: until when it stays, what it needs, who gets it, and what it may use."""

    name: str = Field(min_length=1, max_length=_NAME_LIMIT, description="The feature.")
    lowest: str = Field(default="emergency", description="The poorest level that it stays on in.")
    needs: tuple[str, ...] = Field(default=(), max_length=100, description="Features that it goes with.")
    limits: dict[str, dict[str, float]] = Field(
        default_factory=dict,
        description="Per capability the most of it per level; a level that is left out has the next fuller one's.",
    )
    rollout: float = Field(default=100.0, ge=0, le=100, description="Per cent of the tenants that get it.")
    tenants: dict[str, bool] = Field(
        default_factory=dict, description="Tenants that get it, or not, whatever the rollout says."
    )

    @field_validator("name")
    @classmethod
    def _a_line(cls, name: str) -> str:
        return line(name)

    @field_validator("limits")
    @classmethod
    def _lines_only(cls, limits: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
        lines(limits)
        return limits

    @field_validator("needs", mode="before")
    @classmethod
    def _one_is_enough(cls, names: object) -> object:
        if isinstance(names, str):
            return (names,)
        return tuple(names) if isinstance(names, Iterable) else names


class OverrideSettings(Settings):
    """A level that somebody sets by hand."""

    level: str = Field(min_length=1, description="The level.")
    who: str = Field(min_length=1, max_length=_NAME_LIMIT, description="Who wants it.")
    reason: str = Field(min_length=1, max_length=1000, description="Why.")
    until_s: float | None = Field(
        default=None,
        gt=0,
        le=366 * _DAY_S,
        description="For how long from now, seconds; None: until auto() is called.",
    )

    @field_validator("who", "reason")
    @classmethod
    def _lines_only(cls, text: str) -> str:
        return line(text)


class AutoSettings(Settings):
    """Who lets the rules decide again, and why."""

    who: str = Field(min_length=1, max_length=_NAME_LIMIT, description="Who wants it.")
    reason: str = Field(default="", max_length=1000, description="Why.")

    @field_validator("who", "reason")
    @classmethod
    def _lines_only(cls, text: str) -> str:
        return line(text)


class TenantSettings(Settings):
    """What somebody says for one tenant."""

    tenant: str = Field(min_length=1, max_length=1000, description="The tenant.")
    on: StrictBool | None = Field(description="Whether it gets the feature; None takes that back.")


def problems_of_level(level: str, levels: tuple[str, ...]) -> tuple[str, ...]:
    """What is wrong with a level that somebody names; empty if there is one."""
    return () if level in levels else (f"level: {level!r} is not one of {', '.join(levels)}",)
