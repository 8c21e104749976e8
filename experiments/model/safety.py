"""What an experiment may do at most, and what ends it: blast radius, business hours, guards. Pure."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from actors.runtime.errors import ConfigError
from actors.runtime.settings import PROBLEM, Settings
from experiments.model.functions import PROBES
from experiments.model.tolerance_file import parse_tolerance, written
from experiments.model.tolerances import Tolerance
from supervisor.chaos_settings import BlastRadius, BusinessHours


class Guard(Settings):
    """A probe that is asked all along; out of its tolerance, stale or missing, it stops the experiment."""

    name: str = Field(min_length=1, max_length=256, description="What it is called.")
    probe: str = Field(description="A probe of experiments.driver.")
    arguments: dict[str, Any] = Field(default_factory=dict[str, Any], description="What the probe is given.")
    tolerance: Any = Field(description="What its value must be, as in a hypothesis.")
    every_s: float = Field(default=1.0, gt=0, le=60, description="Asked so often, seconds.")
    stale_s: float = Field(default=5.0, gt=0, le=600, description="A value older than this stops it, too, seconds.")
    times: int = Field(default=1, ge=1, le=100, description="So often in a row out of tolerance before it stops.")

    @field_validator("tolerance", mode="before")
    @classmethod
    def _is_one(cls, given: object) -> Tolerance:
        if isinstance(given, Tolerance):
            return given
        try:
            return parse_tolerance(given, source="")
        except ConfigError as error:
            raise PydanticCustomError(PROBLEM, "{words}", {"words": "; ".join(error.problems)}) from None

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        found = PROBES.get(self.probe)
        if found is None:
            words = f"probe: {self.probe!r} cannot be read; there are {', '.join(PROBES)}"
            raise PydanticCustomError(PROBLEM, "{words}", {"words": words})
        model, yields = found
        try:
            model.parse(self.arguments, source="")
        except ConfigError as error:
            words = "; ".join(f"arguments.{problem}" for problem in error.problems)
            raise PydanticCustomError(PROBLEM, "{words}", {"words": words}) from None
        if yields not in self.tolerance.takes:
            words = f"tolerance: {self.probe} gives {yields}, which {type(self.tolerance).__name__} cannot judge"
            raise PydanticCustomError(PROBLEM, "{words}", {"words": words})
        if self.stale_s <= self.every_s:
            words = f"stale_s: {self.stale_s:g} s is not longer than every_s; a value is older than that by nature"
            raise PydanticCustomError(PROBLEM, "{words}", {"words": words})
        return self

    def as_file(self) -> dict[str, Any]:
        """As a file has it."""
        return {**self.model_dump(exclude_defaults=True), "tolerance": written(self.tolerance)}


class Safety(Settings):
    """The bounds of one experiment."""

    blast_radius: BlastRadius = Field(default=BlastRadius(), description="How much may be hit at a time.")
    protected: tuple[str, ...] = Field(
        default=(), max_length=1000, description="Names, or patterns, that are never hit, whatever is selected."
    )
    opt_in: str = Field(
        default="chaos=allowed", pattern=r"^[^=]+=[^=]*$", max_length=256, description="In safe mode: only this label."
    )
    hours: tuple[BusinessHours, ...] = Field(default=(), max_length=50, description="When it may run; empty: always.")
    least_health: float = Field(
        default=0.0, ge=0, le=100, description="The system's score below which it does not start."
    )
    ephemeral: bool = Field(default=False, description="The cluster is thrown away afterwards: nodes may be hit.")
    guards: tuple[Guard, ...] = Field(default=(), max_length=50, description="What stops it.")

    @field_validator("guards")
    @classmethod
    def _have_names_of_their_own(cls, given: tuple[Guard, ...]) -> tuple[Guard, ...]:
        names = [guard.name for guard in given]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            words = f"the name {twice[0]!r} is given twice, and only one guard of a name would be asked"
            raise PydanticCustomError(PROBLEM, "{words}", {"words": words})
        return given
