"""How full queues are, and when that is worth telling. Pure."""

from __future__ import annotations

from collections.abc import Mapping

STEP = 0.01
"""A smaller change is not told at once."""

AGAIN_S = 3.0
"""How often what has not changed is told again, so that it is not taken for silence, seconds."""


class Fullness:
    """Of one handle's queues.

    Args:
        limit: How many unfinished tasks a queue takes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._told: dict[str, float] = {}
        self._told_at = float("-inf")

    def to_tell(self, unfinished: Mapping[str, int], now: float) -> dict[str, float]:
        """What is to be told now, 0 (empty) to 1 (full) by pool; then it counts as told. Nothing most of the time."""
        shares = {pool: min(1.0, count / self._limit) for pool, count in unfinished.items()}
        moved = any(self._is_news(share, self._told.get(pool)) for pool, share in shares.items())
        if not moved and now - self._told_at < AGAIN_S:
            return {}
        self._told, self._told_at = shares, now
        return dict(shares)

    @staticmethod
    def _is_news(share: float, told: float | None) -> bool:
        return told is None or abs(share - told) >= STEP or (share != told and share in (0.0, 1.0))
