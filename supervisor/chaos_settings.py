"""What the owner of a cluster says of chaos experiments on it. Pure."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from actors.runtime.settings import PROBLEM, Settings

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00")


class BlastRadius(Settings):
    """How much may be hit at a time."""

    targets: int = Field(
        default=1, ge=1, le=10_000, description="So many targets, with who is hit because its node is."
    )
    share: float = Field(default=0.5, gt=0, le=1, description="Of all targets of a kind that run, rounded down.")
    nodes: int = Field(default=1, ge=1, le=10_000, description="On so many nodes.")


class BusinessHours(Settings):
    """When it may run, so that somebody is there."""

    days: tuple[Day, ...] = Field(default=DAYS[:5], min_length=1, description="On these days.")
    begins: str = Field(default="09:00", description="From this time of the day on.")
    ends: str = Field(default="17:00", description="To this time; it may be 24:00.")
    zone: str = Field(default="UTC", min_length=1, max_length=64, description="Of this time zone, as Europe/Berlin.")

    @field_validator("begins", "ends")
    @classmethod
    def _is_a_time(cls, given: str) -> str:
        if _CLOCK.fullmatch(given) is None:
            raise PydanticCustomError(PROBLEM, "{words}", {"words": f"{given!r} is no time of a day, as 09:30"})
        return given

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, given: str) -> str:
        try:
            ZoneInfo(given)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            words = f"{given!r} is no time zone, as Europe/Berlin"
            raise PydanticCustomError(PROBLEM, "{words}", {"words": words}) from None
        return given

    @model_validator(mode="after")
    def _has_a_length(self) -> Self:
        if self.begins >= self.ends:
            words = f"begins: {self.begins} is not before {self.ends}; give two entries for a night"
            raise PydanticCustomError(PROBLEM, "{words}", {"words": words})
        return self


class ChaosSettings(Settings):
    """Bounds of all experiments on one supervisor; each experiment has further ones of its own."""

    safe_mode: bool | None = Field(
        default=None, description="Only what opted in may be hit; left out: on, unless the cluster is embedded."
    )
    ephemeral: bool = Field(
        default=False,
        description="The cluster is thrown away afterwards: its nodes and Ray's own processes may be hit.",
    )
    protected: tuple[str, ...] = Field(
        default=(), max_length=1000, description="Names, or patterns, that no experiment ever hits."
    )
    labels: dict[str, dict[str, str]] = Field(
        default_factory=dict[str, dict[str, str]],
        description='What targets are labelled, by name or pattern, as {"worker/*": {"chaos": "allowed"}}.',
    )
    opt_in: str | None = Field(
        default=None,
        pattern=r"^[^=]+=[^=]*$",
        max_length=256,
        description="In safe mode: only this label, as chaos=allowed, and the one that an experiment names, too.",
    )
    blast_radius: BlastRadius | None = Field(
        default=None, description="How much any experiment may hit at a time, whatever it says itself."
    )
    hours: tuple[BusinessHours, ...] = Field(
        default=(), max_length=50, description="When any experiment may run; empty: always."
    )
    least_health: float = Field(
        default=0.0, ge=0, le=100, description="The system's score below which no experiment starts."
    )
    experiments_max: int = Field(default=1, ge=1, le=100, description="So many experiments run at a time.")

    def labels_of(self, name: str) -> dict[str, str]:
        """The labels of a target; of patterns that say different things of it the last counts."""
        found: dict[str, str] = {}
        for pattern, labels in self.labels.items():
            if fnmatchcase(name, pattern) or fnmatchcase(name.rpartition("/")[2], pattern):
                found |= labels
        return found
