"""A process that has opened itself because its own calls broke a rule, while the cluster goes on. Pure.

    shut --wait over--> probing --its probes succeeded--> lifted
      ^                   |
      +---probes failed---+

It is shut at once, without asking anybody. It probes with permits of the owner, as everybody who probes does, so that
the limit on probes holds for the whole cluster, and nobody probes while the owner is lost. Only who can never ask an
owner, as a forked child, grants them itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.breaker.probation import Probation, Result
from actors.breaker.rules import Trip, answered_wait_s, open_wait_s

if TYPE_CHECKING:
    from actors.breaker.chance import Chance
    from actors.breaker.settings import BreakerSettings


class SelfOpening:
    """One process's own opening.

    Attributes:
        trip: The rule that its calls broke.
        openings: Openings in a row.
        until: Shut until then, monotonic seconds.
        awaits_wait: The user's function is to say how long; until it has, the longest wait holds.
        probation: The probes since it was shut last.
    """

    def __init__(self, trip: Trip, settings: BreakerSettings, *, rng: Chance, now: float) -> None:
        self.trip = trip
        self.openings = 0
        self._settings = settings
        self._rng = rng
        self._shut(now)

    def _shut(self, now: float) -> None:
        self.openings += 1
        wait_s = open_wait_s(self._settings, openings=self.openings, rng=self._rng)
        self.awaits_wait = wait_s is None
        self._since = now
        self.until = now + (self._settings.open_s_max if wait_s is None else wait_s)
        self.probation = Probation(self._settings)

    def is_shut(self, now: float) -> bool:
        """Whether it refuses all calls; else it probes."""
        return now < self.until

    def answer_wait(self, wait_s: float | None) -> None:
        """The user's function said how long, seconds; None when it failed. A second answer changes nothing."""
        if self.awaits_wait:
            self.awaits_wait = False
            self.until = self._since + answered_wait_s(self._settings, wait_s)

    def count(self, *, success: bool, now: float) -> Result | None:
        """A probe ended; "failed" means that it is shut again."""
        result = self.probation.count(success=success)
        if result == "failed":
            self._shut(now)
        return result
