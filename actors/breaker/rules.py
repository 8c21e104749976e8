"""What opens a breaker, and for how long it then stays open. Pure.

Three rules, each of which is enough: failure rate, slow-call rate, failures in a row. Rates wait for `minimum_calls`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from actors.breaker.chance import Chance
    from actors.breaker.settings import BreakerSettings
    from actors.breaker.window import Window

Rule = Literal["failure_rate", "slow_call_rate", "consecutive_failures"]

_LARGEST_EXPONENT = 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """One rule that a window breaks.

    Attributes:
        rule: The name of its setting.
        value: What the window has: a rate, or failures in a row.
        threshold: What the settings allow less than.
        calls: Calls in the window.
    """

    rule: Rule
    value: float
    threshold: float
    calls: int

    def __str__(self) -> str:
        if self.rule == "consecutive_failures":
            return f"{self.value:.0f} failures in a row (consecutive_failures={self.threshold:.0f})"
        what = "failed" if self.rule == "failure_rate" else "were slow"
        return f"{self.value:.0%} of {self.calls} calls {what} ({self.rule}={self.threshold:g})"


def tripped(window: Window, settings: BreakerSettings, *, minimum: int | None = None) -> Trip | None:
    """The first rule that the window breaks, or None.

    Args:
        window: Settled, see `Window.settle`.
        settings: The thresholds.
        minimum: Calls that a rate must be judged on; left out, the settings' `minimum_calls`.
    """
    limit = settings.consecutive_failures
    if limit is not None and window.run.peak >= limit:
        return Trip(rule="consecutive_failures", value=window.run.peak, threshold=limit, calls=window.calls)
    if window.calls < max(1, settings.minimum_calls if minimum is None else minimum):
        return None
    if settings.failure_rate is not None and window.failure_rate >= settings.failure_rate:
        rate = window.failure_rate
        return Trip(rule="failure_rate", value=rate, threshold=settings.failure_rate, calls=window.calls)
    if settings.slow_call_rate is not None and window.slow_rate >= settings.slow_call_rate:
        rate = window.slow_rate
        return Trip(rule="slow_call_rate", value=rate, threshold=settings.slow_call_rate, calls=window.calls)
    return None


def nearness(window: Window, settings: BreakerSettings, *, minimum: int | None = None) -> float:
    """How near the window is to opening: 0 without a failure or a slow call, 1 where a rule is broken.

    Args:
        window: Settled.
        settings: The thresholds.
        minimum: As for `tripped`; while there are fewer calls, rates are taken as that much less.
    """
    least = max(1, settings.minimum_calls if minimum is None else minimum)
    certainty = min(1.0, window.calls / least)
    parts = [0.0]
    if settings.failure_rate is not None:
        parts.append(certainty * min(1.0, window.failure_rate / settings.failure_rate))
    if settings.slow_call_rate is not None:
        parts.append(certainty * min(1.0, window.slow_rate / settings.slow_call_rate))
    if settings.consecutive_failures is not None:
        parts.append(window.run.length / settings.consecutive_failures)
    return min(1.0, max(parts))


def open_wait_s(settings: BreakerSettings, *, openings: int, rng: Chance) -> float | None:
    """How long to stay open after the `openings`-th opening in a row (from 1), seconds; never over `open_s_max`.

    Jitter only shortens. None when `open_s` is a function: it is the user's code, and for the shell to run.
    """
    if callable(settings.open_s):
        return None
    step = settings.open_s * settings.open_growth ** min(openings - 1, _LARGEST_EXPONENT)
    return min(settings.open_s_max, step) * (1.0 - settings.open_jitter * rng.random())


def answered_wait_s(settings: BreakerSettings, answer: float | None) -> float:
    """The wait that the user's function asks for, from 0 to `open_s_max`; the latter when it failed or said NaN."""
    if answer is None or isnan(answer):
        return settings.open_s_max
    return min(settings.open_s_max, max(0.0, answer))
