"""When to leave an actor alone that cannot be reached, and for how long. Pure."""

from __future__ import annotations

_LARGEST_EXPONENT = 30


class Pauses:
    """Pauses that double until something is answered.

    Args:
        first_s: The first one, seconds.
        longest_s: None is longer, seconds.
    """

    def __init__(self, first_s: float, longest_s: float) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._number = 0
        self._until = float("-inf")

    def holds(self, now: float) -> bool:
        """Whether a pause is on."""
        return now < self._until

    def begin(self, now: float) -> float | None:
        """Begin a pause; returns when it ends, monotonic seconds, or None when one is on already."""
        if self.holds(now):
            return None
        self._until = now + min(self._longest_s, self._first_s * 2.0 ** min(self._number, _LARGEST_EXPONENT))
        self._number += 1
        return self._until

    def answered(self) -> None:
        """Something was answered: the next pause is a first one again."""
        self._number = 0

    def end(self) -> None:
        """Another actor is called from now on."""
        self._number, self._until = 0, float("-inf")
