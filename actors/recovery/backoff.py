"""How long to wait before another attempt: pure functions of the number of failures and a random source.

Source: "Exponential Backoff And Jitter", AWS Architecture Blog (full, equal, decorrelated); Erlang/OTP and Pekko's
backoff supervisor for the reset after a healthy while.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, assert_never

if TYPE_CHECKING:
    from random import Random

Backoff = Literal["full_jitter", "equal_jitter", "decorrelated", "exponential", "linear", "constant"]

_LARGEST_EXPONENT = 62


def delay_s(kind: Backoff, *, failures: int, min_s: float, max_s: float, previous_s: float, rng: Random) -> float:
    """The wait before the attempt that follows `failures` failures, in seconds; never more than `max_s`.

    Args:
        kind: The shape of the growth and of its jitter.
        failures: Failed attempts so far, at least 1.
        min_s: The first step, seconds.
        max_s: The ceiling, seconds; jitter never exceeds it.
        previous_s: The wait before the last attempt, seconds; only "decorrelated" reads it.
        rng: The source of chance.
    """
    exponential = min(max_s, min_s * 2.0 ** min(failures - 1, _LARGEST_EXPONENT))
    match kind:
        case "full_jitter":
            return rng.uniform(0.0, exponential)
        case "equal_jitter":
            return exponential / 2 + rng.uniform(0.0, exponential / 2)
        case "decorrelated":
            return min(max_s, rng.uniform(min_s, max(min_s, 3 * previous_s)))
        case "exponential":
            return exponential
        case "linear":
            return min(max_s, min_s * failures)
        case "constant":
            return min(max_s, min_s)
        case _:
            assert_never(kind)


def restart_delay_s(*, restarts: int, min_s: float, max_s: float, jitter: float, rng: Random) -> float:
    """The wait before restarting a child that was restarted `restarts` times since it was last healthy, in seconds.

    The first restart is immediate; then `min(max_s, min_s * 2^n)`, less a random part of at most `jitter` (0-1) of it,
    so that jitter never exceeds the ceiling.
    """
    if restarts == 0:
        return 0.0
    step = min(max_s, min_s * 2.0 ** min(restarts - 1, _LARGEST_EXPONENT))
    return step * (1.0 - jitter * rng.random())
