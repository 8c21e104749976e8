"""What a user writes to say how a component is healed, beside `Retry` and `Fallback`. Pure values.

Each has a bound: how often, and for how long each of its steps may take. What has none is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from actors.recovery.retry import Fallback, Retry
from actors.runtime.errors import ConfigError
from actors.runtime.settings import Settings, shown

Severity = Literal["low", "medium", "high", "critical"]

SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high", "critical")
"""From the mildest on."""

STRATEGIES_MAX = 20


class Restore(Settings):
    """Take up an earlier state: load a checkpoint aside, verify it, then cut over; else roll back.

    Without functions these are the checkpoints of a supervised child. With `apply` alone they are those that were put
    away by `sup.healer.checkpoint(component, state)`, with `load`, too, whatever that returns.
    """

    load: Callable[..., Any] | None = Field(
        default=None, description="Called with the component's name; returns the state of earlier."
    )
    verify: Callable[..., Any] | None = Field(default=None, description="Called with that state; False refuses it.")
    apply: Callable[..., Any] | None = Field(default=None, description="Called with that state; makes it the state.")
    roll_back: Callable[..., Any] | None = Field(
        default=None, description="Called with that state when it could not be applied; undoes what apply began."
    )
    path: str | None = Field(
        default=None, min_length=1, max_length=1000, description="The folder of `checkpoint(...)`; None: the event log."
    )
    version: int = Field(default=1, ge=0, le=2**31 - 1, description="The version of the state that `checkpoint` keeps.")
    timeout_s: float = Field(default=30.0, gt=0, description="How long each of these may take, in seconds.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.apply is None and (self.load, self.verify, self.roll_back) != (None, None, None):
            raise ValueError("load, verify and roll_back belong to apply: give that, too, or none for a child's own")
        return self


class Escalate(Settings):
    """Tell people, again and again until one says that it is theirs; then hand over with a link to a runbook."""

    channels: tuple[str, ...] = Field(
        default=(), max_length=50, description="Channels of the notifier; empty: as its routes say."
    )
    repeat_s: float = Field(default=300.0, gt=0, description="Told again after so long without an answer, in seconds.")
    repeats: int = Field(default=3, ge=1, le=1000, description="How often people are told in all.")
    runbook: str = Field(default="", max_length=2000, description="A link that is told with it.")
    timeout_s: float = Field(default=10.0, gt=0, description="How long handing over a message may take, in seconds.")

    @field_validator("channels", mode="before")
    @classmethod
    def _one_is_enough(cls, channels: object) -> object:
        return (channels,) if isinstance(channels, str) else channels


class Restart(Settings):
    """Restart the component: a supervised child, by its supervisor, which fences the former life first."""

    timeout_s: float = Field(default=30.0, gt=0, description="Until the new life is ready, in seconds.")


class Isolate(Settings):
    """Drain the component's node and keep work off it."""

    drain_s: float = Field(default=30.0, ge=0, description="What runs there has so long to end, in seconds.")
    keep_off_s: float = Field(default=600.0, gt=0, description="No work goes there for so long, in seconds.")
    timeout_s: float = Field(default=60.0, gt=0, description="How long all of it may take, in seconds.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.drain_s >= self.timeout_s:
            message = f"drain_s ({self.drain_s:g}) must be shorter than timeout_s ({self.timeout_s:g})"
            raise ValueError(message)
        return self


class UserStrategy(Settings):
    """A strategy of the user's own, found by the entry point of this name (`ray_supervisor.strategies`)."""

    alone = "name"

    name: str = Field(min_length=1, max_length=256, description="The entry point's name.")
    options: dict[str, Any] = Field(default_factory=dict, description="What it is called with, beside the incident.")
    repeatable: bool = Field(
        default=False, description="Whether it may run again when nobody knows whether it ran: it has no effect twice."
    )
    timeout_s: float = Field(default=30.0, gt=0, description="How long it may take, in seconds.")


Strategy = Retry | Fallback | Restore | Escalate | Restart | Isolate | UserStrategy

KINDS: tuple[type[Strategy], ...] = (Retry, Fallback, Restore, Escalate, Restart, Isolate, UserStrategy)


def title(strategy: Strategy) -> str:
    """What people call it, and what is remembered of it is filed under."""
    if isinstance(strategy, UserStrategy):
        return strategy.name
    return type(strategy).__name__.lower()


def check_strategies(strategies: object, *, source: str) -> tuple[Strategy, ...]:
    """The strategies of a plan.

    Raises:
        ConfigError: Something else is among them, or they are none, or too many.
    """
    given: tuple[Any, ...] = tuple(strategies) if isinstance(strategies, tuple | list) else (strategies,)
    problems = [
        f"strategies[{number}]: {shown(each)} is none; there are Retry, Fallback, Restore, Escalate, Restart, Isolate "
        "and UserStrategy"
        for number, each in enumerate(given)
        if not isinstance(each, KINDS)
    ]
    if not 1 <= len(given) <= STRATEGIES_MAX:
        problems.append(f"strategies: {len(given)} were given; a plan has 1 to {STRATEGIES_MAX}")
    if problems:
        raise ConfigError(source, problems=tuple(problems))
    return given


def problems_of_own(strategies: Iterable[Strategy], installed: Sequence[str], *, group: str) -> tuple[str, ...]:
    """What is wrong with the users' own strategies of a plan; each problem begins with its place.

    Args:
        strategies: Those of the plan.
        installed: The names of those that there are.
        group: The group of entry points that they were looked for in.
    """
    there_are = f"there {'is' if len(installed) == 1 else 'are'} {', '.join(installed) or 'none'}"
    return tuple(
        f"strategies[{number}]: no installed package has the entry point {shown(each.name)} in the group {group}; "
        f"{there_are}"
        for number, each in enumerate(strategies)
        if isinstance(each, UserStrategy) and each.name not in installed
    )


def problems_of_channels(strategies: Iterable[Strategy], channels: Sequence[str]) -> tuple[str, ...]:
    """What is wrong with the channels that a plan has people told by; each problem begins with its place.

    Args:
        strategies: Those of the plan.
        channels: The names of those that there are.
    """
    return tuple(
        f"strategies[{number}].channels: there is no channel {shown(name)}; there are: {', '.join(channels) or 'none'}"
        for number, each in enumerate(strategies)
        if isinstance(each, Escalate)
        for name in each.channels
        if name not in channels
    )
