"""The permits that one process holds, and when each ends though its call does not. Pure.

One whose lease is over goes back and says nothing. One whose call has a limit of its own, as a task has, is a failure
when that passes: whoever hangs so long may be killed for it, and could then say nothing any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actors.breaker.outcome import Outcome
    from actors.breaker.verdict import Permit

TOO_LATE = "the time of the task that probed was over"


class HeldPermits:
    """Those of one circuit."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[Permit, float | None]] = {}

    def add(self, permit: Permit, limit_at: float | None = None) -> float:
        """One more is out; tells when it ends by itself, monotonic seconds.

        Args:
            permit: The permit.
            limit_at: When its call has failed if it has not ended, monotonic seconds; None: never.
        """
        self._held[permit.number] = (permit, limit_at)
        return _ends_at(permit, limit_at)

    def end(self, permit: Permit, outcome: Outcome, now: float) -> Outcome:
        """Its call ended so; one that was cancelled because its limit has passed has failed."""
        _, limit_at = self._held.pop(permit.number, (permit, None))
        return "failure" if outcome == "cancelled" and limit_at is not None and limit_at <= now else outcome

    def take_due(self, now: float) -> list[tuple[Permit, Outcome]]:
        """Those that end now, and as what."""
        due = [permit for permit, limit_at in self._held.values() if _ends_at(permit, limit_at) <= now]
        return [(permit, self.end(permit, "cancelled", now)) for permit in due]

    def next_at(self) -> float | None:
        """When the next one ends by itself, monotonic seconds, or None."""
        return min((_ends_at(permit, limit_at) for permit, limit_at in self._held.values()), default=None)


def _ends_at(permit: Permit, limit_at: float | None) -> float:
    return permit.expires_at if limit_at is None else min(limit_at, permit.expires_at)
