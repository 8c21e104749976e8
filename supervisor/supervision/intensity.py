"""How many restarts are too many: a sliding window, pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence


def record_restart(
    restarted_at: Sequence[float], *, now: float, intensity: int, period_s: float
) -> tuple[tuple[float, ...], bool]:
    """Record a restart at `now` and tell whether the allowance still holds.

    Args:
        restarted_at: Earlier restarts, oldest first, monotonic seconds.
        now: This restart, monotonic seconds.
        intensity: Restarts allowed within the window; 0 means none at all.
        period_s: The sliding window, seconds.

    Returns: The restarts inside the window, this one included, and False once they exceed `intensity`.
    Source: Erlang/OTP supervisor, "Tuning the intensity and period".
    """
    first = bisect_left(restarted_at, x=True, key=lambda at: now - at <= period_s)
    inside = (*restarted_at[first:], now)
    return inside, len(inside) <= intensity
