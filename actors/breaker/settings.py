"""What a user writes to say when a breaker opens and how it recovers. Pure.

Rates are fractions of 1, times are seconds. Whoever defines a breaker's name first decides its settings; what a later
definition says otherwise is told by `describe_difference`, and `changed` makes the settings that `configure` asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Annotated, Any, Self

from pydantic import Field, field_validator, model_validator

from actors.breaker.votes import Electorate
from actors.runtime.errors import ConfigError
from actors.runtime.settings import Settings, shown

ErrorRule = type[BaseException] | Callable[[BaseException], bool]
"""An exception class, subclasses included, or a function that tells whether it is meant."""

_SIZES = ("window_calls", "window_s")
_RULES = ("ignore", "count")


class BreakerSettings(Settings):
    """When a breaker opens, how long it stays open, and how it recovers."""

    failure_rate: float | None = Field(
        default=0.5,
        gt=0,
        le=1,
        description="Opens when this fraction of the window's calls failed; None: never for that.",
    )
    slow_call_rate: float | None = Field(
        default=None, gt=0, le=1, description="Opens when this fraction of the window's calls was slow."
    )
    slow_call_s: float | None = Field(default=None, gt=0, description="A call that takes longer is slow, in seconds.")
    consecutive_failures: int | None = Field(
        default=None, ge=1, description="Opens when so many calls in a row failed, however few the window holds."
    )
    minimum_calls: int = Field(default=20, ge=1, description="No rate is judged on fewer calls than this.")
    window_calls: int | None = Field(
        default=100, ge=1, le=100_000, description="The rates are those of the last so many calls."
    )
    window_s: float | None = Field(
        default=None, gt=0, le=86_400, description="Instead of window_calls: the rates of the last so many seconds."
    )
    # What is not finite is refused below, in words that fit a number and a function.
    open_s: Annotated[float, Field(allow_inf_nan=True)] | Callable[[int], float] = Field(
        default=5.0,
        description="How long it stays open before it probes, in seconds; or a function of the openings in a row.",
    )
    open_s_max: float = Field(default=60.0, gt=0, description="The longest such wait, jitter included, in seconds.")
    open_growth: float = Field(
        default=2.0, ge=1, le=100, description="Each opening in a row waits so many times longer than the one before."
    )
    open_jitter: float = Field(
        default=0.1, ge=0, le=1, description="Up to this fraction of the wait is taken off at random."
    )
    half_open_permits: int = Field(
        default=3, ge=1, le=1000, description="Probes of the whole cluster, at a time and in all, while half-open."
    )
    half_open_success_rate: float = Field(
        default=1.0, gt=0, le=1, description="It recovers when this fraction of the probes succeeded, else it reopens."
    )
    half_open_s_max: float = Field(
        default=30.0, gt=0, description="The longest time half-open, then it reopens, in seconds."
    )
    permit_lease_s: float = Field(
        default=10.0,
        gt=0,
        description="A probe that has not ended by then gives its permit to another, in seconds.",
    )
    ramp: tuple[float, ...] = Field(
        default=(), max_length=100, description="Fractions of the calls let through, step by step, before it closes."
    )
    ramp_step_s: float = Field(default=1.0, gt=0, description="How long each step of the ramp takes, in seconds.")
    quorum: int | None = Field(
        default=None,
        ge=1,
        description="So many must have opened themselves to open the cluster; None: the sum of all calls decides.",
    )
    quorum_of: Electorate = Field(
        default="reporters",
        description="What the quorum counts: reporters (processes), or nodes, each of which has one vote.",
    )
    ignore: tuple[ErrorRule, ...] = Field(
        default=(), description="Exceptions that say nothing: neither failure nor success. Goes before `count`."
    )
    count: tuple[ErrorRule, ...] = Field(default=(Exception,), description="Exceptions that are failures.")
    failed_result: Callable[[Any], bool] | None = Field(
        default=None, description="Tells of a returned value whether it is a failure."
    )

    @model_validator(mode="before")
    @classmethod
    def _defaults_give_way(cls, data: Any) -> Any:
        """A window of time alone replaces the default one of calls; a small one of calls lowers the default minimum."""
        if not isinstance(data, dict):
            return data
        if data.get("window_s") is not None and "window_calls" not in data:
            return {**data, "window_calls": None}
        size, least = data.get("window_calls"), cls.model_fields["minimum_calls"].default
        if isinstance(size, int) and 0 < size < least and "minimum_calls" not in data:
            return {**data, "minimum_calls": size}
        return data

    @field_validator("ignore", "count", mode="before")
    @classmethod
    def _one_is_enough(cls, rules: object) -> object:
        return (rules,) if callable(rules) else rules

    @field_validator("ignore", "count")
    @classmethod
    def _only_exceptions(cls, rules: tuple[ErrorRule, ...]) -> tuple[ErrorRule, ...]:
        for rule in rules:
            if isinstance(rule, type) and not issubclass(rule, BaseException):
                message = f"{rule.__name__} is not an exception; give exception classes or functions of one"
                raise ValueError(message)  # noqa: TRY004 - pydantic tells a ValueError as a problem of the field
        return rules

    @field_validator("open_s")
    @classmethod
    def _a_wait(cls, open_s: float | Callable[[int], float]) -> float | Callable[[int], float]:
        if not callable(open_s) and not 0 < open_s < float("inf"):
            raise ValueError("a wait must be longer than 0 seconds, and end")
        return open_s

    @field_validator("ramp")
    @classmethod
    def _rises(cls, ramp: tuple[float, ...]) -> tuple[float, ...]:
        if any(not 0 < share <= 1 for share in ramp):
            raise ValueError("each step is a fraction of the calls: above 0, at most 1")
        if any(later <= earlier for earlier, later in pairwise(ramp)):
            raise ValueError("each step must let more through than the one before")
        return ramp

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problems = [*self._problems_of_opening(), *self._problems_of_windows(), *self._problems_of_errors()]
        if not callable(self.open_s) and self.open_s > self.open_s_max:
            problems.append(f"open_s ({self.open_s:g}) is larger than open_s_max ({self.open_s_max:g}); raise that too")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _problems_of_opening(self) -> list[str]:
        problems: list[str] = []
        if self.failure_rate is None and self.slow_call_rate is None and self.consecutive_failures is None:
            problems.append(
                "nothing would ever open it; give failure_rate, slow_call_rate or consecutive_failures "
                "(to watch only: breaker.shadow(), to let everything pass: breaker.disable())"
            )
        if self.slow_call_rate is not None and self.slow_call_s is None:
            problems.append("slow_call_rate needs slow_call_s: how long may a call take?")
        if self.slow_call_s is not None and self.slow_call_rate is None:
            problems.append("slow_call_s opens nothing without slow_call_rate; give that too (1.0: when all are slow)")
        if self.quorum_of != "reporters" and self.quorum is None:
            problems.append(f"quorum_of={self.quorum_of!r} counts nothing without quorum; give that too: of how many?")
        return problems

    def _problems_of_windows(self) -> list[str]:
        if self.window_calls is not None and self.window_s is not None:
            return [f"window_calls ({self.window_calls}) and window_s ({self.window_s:g}) exclude each other; give one"]
        if self.window_calls is None and self.window_s is None:
            return ["a window is needed: give window_calls or window_s"]
        if self.window_calls is not None and self.minimum_calls > self.window_calls:
            return [
                f"minimum_calls ({self.minimum_calls}) is larger than window_calls ({self.window_calls}): "
                "no rate would ever be judged; lower it or enlarge the window"
            ]
        return []

    def _problems_of_errors(self) -> list[str]:
        """What is counted and wholly ignored, or never counted, is a mistake: failures would be lost without a word."""
        if not self.count and self.failed_result is None and self.slow_call_rate is None:
            return ["count is empty, so that nothing is ever a failure; name exceptions, or give failed_result"]
        ignored = tuple(rule for rule in self.ignore if isinstance(rule, type))
        hidden = [rule.__name__ for rule in self.count if isinstance(rule, type) and issubclass(rule, ignored)]
        return (
            [f"{', '.join(hidden)} would never count: it is ignored; take it out of count or ignore"] if hidden else []
        )


def describe_difference(stands: BreakerSettings, given: BreakerSettings) -> tuple[str, ...]:
    """How two definitions of one name differ, for people, field by field; empty when they do not.

    Numbers are compared, and exception classes by name; functions are not: the same function, pickled twice, is two.
    """
    pairs = ((name, getattr(stands, name), getattr(given, name)) for name in BreakerSettings.model_fields)
    told = ((name, _comparable(name, first), _comparable(name, second)) for name, first, second in pairs)
    return tuple(
        f"{name}: {_words(first)} stands, {_words(second)} was given" for name, first, second in told if first != second
    )


def changed(settings: BreakerSettings, **changes: Any) -> BreakerSettings:
    """The same settings but for `changes`; one kind of window replaces the other.

    Raises:
        ConfigError: The result contradicts itself, or a field is unknown.
    """
    fields = {name: getattr(settings, name) for name in BreakerSettings.model_fields}
    if any(changes.get(name) is not None for name in _SIZES):
        fields.update(dict.fromkeys(_SIZES))
    return BreakerSettings(**(fields | changes))


def check_changes(changes: Mapping[str, object]) -> None:
    """Somebody who asks for other settings says which.

    Raises:
        ConfigError: There are none: nothing would change, and the log would say that something did.
    """
    if not changes:
        raise ConfigError("request to configure a breaker", problems=("no field is given; name it, as open_s=10",))


def _comparable(name: str, value: Any) -> Any:
    if name in _RULES:
        return tuple(sorted(rule.__qualname__ for rule in value if isinstance(rule, type)))
    return "a function" if callable(value) else value


def _words(value: Any) -> str:
    return value if value == "a function" else shown(value)
