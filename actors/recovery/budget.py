"""How many retries are too many? A share of the first tries, and a floor. Pure.

Each first try pays a part of a retry in, each retry takes a whole one out, and a few come in by themselves: so retries
add at most `share` to the load while much is done, and some are possible while little is.

Source: Finagle's RetryBudget; there the share is 20 % and the floor 10 a second.
"""

from __future__ import annotations


class RetryBudget:
    """One budget.

    Args:
        share: Retries per first try.
        floor_per_s: Retries that are possible without any, per second.
        burst: What is not used is kept up to so many.
        now: The moment, monotonic seconds.
    """

    def __init__(self, *, share: float = 0.2, floor_per_s: float = 1.0, burst: float = 10.0, now: float) -> None:
        self._share = share
        self._floor_per_s = floor_per_s
        self._burst = burst
        self._told = now
        self._left = burst

    def first(self, now: float, *, tries: int = 1) -> None:
        """So many first tries were made."""
        self._settle(now)
        self._left = min(self._burst, self._left + self._share * tries)

    def take(self, now: float) -> bool:
        """Whether one retry more is within the budget; if so it is taken."""
        self._settle(now)
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True

    def wait_s(self, now: float) -> float:
        """How long until the floor alone allows one, seconds."""
        self._settle(now)
        return max(0.0, 1.0 - self._left) / self._floor_per_s

    def _settle(self, now: float) -> None:
        passed_s = max(0.0, now - self._told)
        self._told = max(self._told, now)
        self._left = min(self._burst, self._left + self._floor_per_s * passed_s)
