"""The bounds of calls to children. Pure."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from actors.breaker.names import breaker_name
from actors.recovery.retry import Retry
from actors.runtime.settings import Settings

CALL_RETRY = Retry(attempts=5, on=(), unknown="retry")
"""How a call is tried again if nobody says otherwise: when its child is lost, and on no exception of its own."""


class CallSettings(Settings):
    """How many calls of one process may be on their way to one child, and when they are asked again."""

    window: int = Field(
        default=256, ge=1, le=900, description="Calls sent and not answered; a child remembers 1,000 answers."
    )
    queue_limit: int = Field(default=10_000, ge=1, description="Calls not answered in all; more are refused.")
    pause_s: float = Field(
        default=0.05,
        gt=0,
        description="The first pause before asking again where nothing got through, in seconds.",
    )
    pause_max_s: float = Field(default=1.0, gt=0, description="The longest such pause, in seconds.")
    farewell_s: float = Field(
        default=0.25,
        ge=0,
        description="For how long what a child that ended has answered may still arrive, in seconds.",
    )


class CallOptions(Settings):
    """What `child.method.options(...)` takes."""

    retry: Retry | None = Field(default=None, description="Instead of the spec's.")
    timeout_s: float | None = Field(
        default=None, gt=0, description="From the call to its answer (a stream: its first item), restarts included."
    )
    unknown: Literal["retry", "never"] | None = Field(default=None, description="Overrides the retry's `unknown`.")
    breaker: str | None = Field(
        default=None,
        description="The circuit breaker that a call passes before it is made; of a stream, the whole iteration.",
    )
    resume: bool = Field(
        default=False, description="Run a broken stream again, and pass over the items that were delivered."
    )

    @field_validator("breaker")
    @classmethod
    def _names_a_breaker(cls, name: str | None) -> str | None:
        return breaker_name(name)
