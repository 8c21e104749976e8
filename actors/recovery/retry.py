"""What a user writes to say how a task survives: `Retry` and `Fallback`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from actors.recovery.backoff import Backoff
from actors.runtime.settings import Settings


class Retry(Settings):
    """How often, on what and how spaced a task is tried again.

    A lost worker is always a reason to try again within `attempts`, unless `unknown="never"`.
    """

    attempts: int = Field(default=3, ge=1, le=1000, description="Attempts in all, the first one included.")
    on: tuple[type[BaseException], ...] = Field(
        default=(Exception,), description="The exceptions that are worth another attempt; a timeout is one."
    )
    backoff: Backoff = Field(default="full_jitter", description="The shape of the wait between attempts.")
    min_s: float = Field(default=0.05, ge=0, description="The first wait, in seconds.")
    max_s: float = Field(default=5.0, ge=0, description="The longest wait, in seconds.")
    unknown: Literal["retry", "never"] = Field(
        default="retry",
        description='What follows an outcome nobody knows (the worker was lost while it ran): "never" surfaces it.',
    )

    @field_validator("on", mode="before")
    @classmethod
    def _one_is_enough(cls, on: object) -> object:
        return (on,) if isinstance(on, type) else on

    @model_validator(mode="after")
    def _bounds_fit(self) -> Self:
        if self.min_s > self.max_s:
            message = f"min_s ({self.min_s:g}) is larger than max_s ({self.max_s:g})"
            raise ValueError(message)
        return self

    def allows(self, error: BaseException) -> bool:
        """Whether this exception is one that the policy tries again on."""
        return isinstance(error, self.on)


class Fallback(Settings):
    """A function that answers when every attempt has failed; it gets the task's own arguments.

    It runs on the pool like the task itself, once, with the same timeout.
    """

    fn: Callable[..., Any]

    def __init__(self, fn: Callable[..., Any] | None = None, **fields: Any) -> None:
        super().__init__(**({} if fn is None else {"fn": fn}), **fields)
