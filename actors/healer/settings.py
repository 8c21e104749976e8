"""What a user says of healing: plans by component, failure and severity, and the bounds of it all. Pure."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from actors.recovery.retry import Retry
from actors.recovery.strategies import (
    Escalate,
    Isolate,
    Restart,
    Restore,
    Severity,
    UserStrategy,
    check_strategies,
)
from actors.runtime.errors import ConfigError
from actors.runtime.settings import PROBLEM, Settings
from actors.runtime.wording import line

_DAY_S = 86_400.0


class PlanRule(Settings):
    """What is tried for whom, in this order."""

    component: str = Field(default="*", min_length=1, max_length=256, description="A name, or a pattern as db-*.")
    failure: str = Field(default="*", min_length=1, max_length=256, description="A failure class, or a pattern.")
    severity: Severity = Field(default="low", description="For incidents as severe as this, or more.")
    strategies: tuple[Any, ...] = Field(
        default=(Retry(), Restart(), Escalate()), description="Retry, Fallback, Restore, Restart, Isolate, Escalate."
    )

    labels: dict[str, str] = Field(
        default_factory=dict,
        max_length=20,
        description="Only healers on nodes with all of these labels take the steps.",
    )

    @field_validator("component", "failure")
    @classmethod
    def _lines_only(cls, name: str) -> str:
        return line(name)

    @field_validator("strategies", mode="before")
    @classmethod
    def _strategies_only(cls, given: object) -> object:
        try:
            return check_strategies(_from_words(given), source="")
        except ConfigError as error:
            raise PydanticCustomError(PROBLEM, "{words}", {"words": "; ".join(error.problems)}) from None


class HealerSettings(Settings):
    """How incidents are handled."""

    plans: tuple[PlanRule, ...] = Field(
        default=(PlanRule(),), max_length=1000, description="The most specific one that matches counts."
    )
    healers: int = Field(
        default=2, ge=1, le=100, description="Healers in the cluster, on nodes of their own if it can be."
    )
    on_child_given_up: Severity | None = Field(
        default="high", description="A child over its restart intensity is an incident so severe; null: none."
    )
    on_escalation: Severity | None = Field(
        default="critical", description="The same of a whole group that nobody above it restarts; null: none."
    )
    on_child_death: Severity | None = Field(
        default=None, description="The same of each death of a child, which its supervisor mends; null: none."
    )
    on_breaker_open: Severity | None = Field(
        default="medium", description="The same of a circuit breaker that opens; null: none."
    )
    on_sick: Severity | None = Field(
        default="high", description="The same of a component whose probes say that it is sick; null: none."
    )
    task_failures: int = Field(
        default=0, ge=0, le=1_000_000, description="So many failed tasks of one function in task_window_s; 0: never."
    )
    task_window_s: float = Field(default=60.0, gt=0, le=_DAY_S, description="Where these are counted, seconds.")
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


_BY_NAME = {"retry": Retry, "restore": Restore, "escalate": Escalate, "restart": Restart, "isolate": Isolate}
"""Those that a file can say; a fallback has a function."""


def _from_words(given: object) -> object:
    """As a file has them: `restart`, `{escalate: {repeats: 2}}`, or a user's own, `{strategy: {name: ...}}`."""
    if not isinstance(given, list):
        return given
    return tuple(_from_word(each) for each in given)


def _from_word(each: Any) -> Any:
    if isinstance(each, str):
        return _BY_NAME[each]() if each in _BY_NAME else each
    if isinstance(each, dict) and len(each) == 1:
        ((name, fields),) = each.items()
        fields = fields or {}
        if name in _BY_NAME and isinstance(fields, dict):
            return _BY_NAME[name].parse(fields, source=name)
        if name == "strategy" and isinstance(fields, dict):
            return UserStrategy.parse(fields, source=name)
    return each
