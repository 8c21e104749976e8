"""What a user says of healing: plans by component, failure and severity, and the bounds of it all. Pure."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from actors.recovery.retry import Retry
from actors.recovery.strategies import Escalate, Restart, Severity, check_strategies
from actors.runtime.errors import ConfigError
from actors.runtime.settings import PROBLEM, Settings

_DAY_S = 86_400.0


class PlanRule(Settings):
    """What is tried for whom, in this order."""

    component: str = Field(default="*", min_length=1, max_length=256, description="A name, or a pattern as db-*.")
    failure: str = Field(default="*", min_length=1, max_length=256, description="A failure class, or a pattern.")
    severity: Severity = Field(default="low", description="For incidents as severe as this, or more.")
    strategies: tuple[Any, ...] = Field(
        default=(Retry(), Restart(), Escalate()), description="Retry, Fallback, Restore, Restart, Isolate, Escalate."
    )

    @field_validator("strategies", mode="before")
    @classmethod
    def _strategies_only(cls, given: object) -> object:
        try:
            return check_strategies(given, source="")
        except ConfigError as error:
            raise PydanticCustomError(PROBLEM, "{words}", {"words": "; ".join(error.problems)}) from None


class HealerSettings(Settings):
    """How incidents are handled."""

    plans: tuple[PlanRule, ...] = Field(
        default=(PlanRule(),), max_length=1000, description="The most specific one that matches counts."
    )
    in_flight: int = Field(
        default=8, ge=1, le=10_000, description="Steps and verifications of the whole cluster at a time."
    )
    incident_timeout_s: float = Field(
        default=600.0, gt=0, le=7 * _DAY_S, description="An incident that lasts longer is escalated, seconds."
    )
    record_timeout_s: float = Field(
        default=5.0, gt=0, le=3600, description="A step whose record was not confirmed is recorded again, seconds."
    )
    verify_s: float = Field(
        default=30.0, gt=0, le=_DAY_S, description="The probe must be good within so long after a step, seconds."
    )
    verify_every_s: float = Field(default=1.0, gt=0, le=3600, description="It is asked so often meanwhile, seconds.")
    escalated_s: float = Field(
        default=3600.0, gt=0, le=7 * _DAY_S, description="Then trouble is a new incident, not the escalated one, s."
    )
    open_max: int = Field(default=1000, ge=1, le=100_000, description="Open incidents; more are dropped, and counted.")
    closed_max: int = Field(default=1000, ge=1, le=100_000, description="Closed incidents that are remembered.")
    calls_max: int = Field(default=1000, ge=1, le=100_000, description="Calls that wait for one incident.")
    learn_least: int = Field(default=3, ge=1, le=1000, description="What was tried fewer times has taught nothing.")
    learn_max: int = Field(default=1000, ge=1, le=100_000, description="Pairs of component and failure remembered.")
    retry_share: float = Field(default=0.2, ge=0, le=10, description="Retries per call that failed, cluster-wide.")
    retry_floor_per_s: float = Field(default=1.0, gt=0, le=1000, description="Retries that are possible anyway.")
