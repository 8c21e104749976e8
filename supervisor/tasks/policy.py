"""How one task is to be run: its limits, its retries, its fallback."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from actors.breaker.names import breaker_name
from actors.recovery.retry import Fallback, Retry
from actors.runtime.settings import Settings


class Policy(Settings):
    """What a task may cost and what follows when it fails."""

    timeout_s: float | None = Field(
        default=None, gt=0, description="How long the task's code may run per attempt, in seconds; then it is ended."
    )
    deadline_s: float | None = Field(
        default=None,
        gt=0,
        description="How long after its submit a task may still start an attempt or run, in seconds.",
    )
    retry: Retry = Field(default_factory=Retry, description="When and how often it is tried again.")
    breaker: str | None = Field(
        default=None,
        description="The circuit breaker that each attempt passes; a refused one has failed, with CircuitOpenError.",
    )
    fallback: Fallback | None = Field(default=None, description="What answers when every attempt has failed.")
    priority: int = Field(default=0, ge=-100, le=100, description="Waiting tasks of a higher priority go first.")

    @field_validator("breaker")
    @classmethod
    def _names_a_breaker(cls, name: str | None) -> str | None:
        return breaker_name(name)


class TaskOptions(Settings):
    """What a caller says of its tasks beside the function and its arguments."""

    policy: Policy | None = Field(default=None, description="Limits, retries, fallback; left out, as configured.")
    key: str | None = Field(default=None, min_length=1, max_length=1024, description="The task's idempotency key.")
    name: str | None = Field(
        default=None, min_length=1, max_length=256, description="What the log calls it instead of its function's name."
    )
    on_full: Literal["raise", "wait"] | None = Field(
        default=None, description="What submit does when too many tasks are unfinished; left out, as configured."
    )
