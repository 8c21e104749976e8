"""What a user writes to say how a task survives: `Retry` and `Fallback`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from actors.breaker.names import breaker_name
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

    timeout_s: float = Field(
        default=30.0,
        gt=0,
        description="Healing only: how long an attempt may take, in seconds; tasks have their Policy's timeout_s.",
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


class Provider(Settings):
    """One of several that can answer: a function, with a breaker and a timeout of its own."""

    alone = "fn"

    fn: Callable[..., Any]
    name: str = Field(default="", max_length=256, description="What people call it; left out, the function's name.")
    breaker: str | None = Field(
        default=None, min_length=1, description="The breaker that guards it: while that is open it is passed over."
    )
    timeout_s: float = Field(
        default=10.0, gt=0, description="How long it may take, in seconds; then the next is asked."
    )

    if TYPE_CHECKING:

        def __init__(self, fn: Callable[..., Any] = ..., **fields: Any) -> None: ...

    @field_validator("breaker")
    @classmethod
    def _names_a_breaker(cls, name: str | None) -> str | None:
        return breaker_name(name)

    @property
    def title(self) -> str:
        """Its name for people."""
        return self.name or getattr(self.fn, "__qualname__", type(self.fn).__qualname__)


class Fallback(Settings):
    """A function that answers when every attempt has failed; it gets the task's own arguments.

    It runs on the pool like the task itself, once, with the same timeout. Where a component is healed, more providers
    may follow it, asked one after the other, and at last an answer of earlier may do.
    """

    alone = "fn"

    fn: Callable[..., Any]
    others: tuple[Provider, ...] = Field(
        default=(), max_length=100, description="Healing only: who is asked after it, in this order."
    )
    breaker: str | None = Field(default=None, min_length=1, description="Healing only: the first one's breaker.")
    timeout_s: float = Field(default=10.0, gt=0, description="Healing only: how long the first may take, in seconds.")
    stale_s: float | None = Field(
        default=None,
        gt=0,
        description="Healing only: a result of the same call is good as a last resort for so long, in seconds.",
    )

    if TYPE_CHECKING:

        def __init__(self, fn: Callable[..., Any] = ..., **fields: Any) -> None: ...

    @field_validator("breaker")
    @classmethod
    def _names_a_breaker(cls, name: str | None) -> str | None:
        return breaker_name(name)

    @field_validator("others", mode="before")
    @classmethod
    def _functions_too(cls, others: object) -> object:
        given = (others,) if callable(others) or isinstance(others, Provider) else others
        if not isinstance(given, tuple | list):
            return given
        return tuple(Provider(each) if callable(each) else each for each in given)

    @property
    def providers(self) -> tuple[Provider, ...]:
        """All that are asked, in order."""
        return (Provider(self.fn, breaker=self.breaker, timeout_s=self.timeout_s), *self.others)
