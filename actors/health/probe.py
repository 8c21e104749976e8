"""One probe at one place: results in a row, and what they mean. Pure.

    pending --`successes` good ones--> passing <--`successes` good ones | `failures` bad ones--> failing
       |                                  |
       +-- `failures` times not reached --+--> unseen --`successes` good ones | `failures` bad ones--> passing, failing

A place that cannot be reached says nothing of the component: it is unseen then, never failing. A check that hangs
stays the one in flight: each beat that it hangs on counts as one more bad one, so there is never a second and a dead
component is found all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from actors.health.answers import Outcome
    from actors.health.phi import Heartbeats
    from actors.health.settings import ProbeSettings

ProbeStanding = Literal["pending", "passing", "failing", "unseen"]

Tally = tuple[ProbeStanding, int, int, int]
"""A standing, and good results, bad ones, and places not reached in a row, each no further than it counts."""


class Probe:
    """What is known of it.

    Attributes:
        settings: As registered.
        place: Where it runs; empty for the monitor's own process.
        standing: What its results mean.
        bad_in_row: Bad results in a row.
        score: What it last said of itself, 0 to 100, if it did.
        flight: The number of the check in flight, or None.
        hangs: Whether that has taken too long.
        shaded: Whether the monitor was blind while it was in flight: a bad result says nothing then.
        heartbeats: Those that it is judged by, if it is.
        starts_at: When its initial delay is over, monotonic seconds.
        logged_at: When a check that passed was logged last, monotonic seconds; None if a bad one was logged since.
    """

    __slots__ = (
        "bad_in_row",
        "flight",
        "good_in_row",
        "hangs",
        "heartbeats",
        "logged_at",
        "place",
        "score",
        "settings",
        "shaded",
        "standing",
        "starts_at",
        "unreached_in_row",
    )

    def __init__(self, settings: ProbeSettings, *, place: str, heartbeats: Heartbeats | None = None) -> None:
        self.settings = settings
        self.place = place
        self.heartbeats = heartbeats
        self.starts_at = float("-inf")
        self.flight: int | None = None
        self.logged_at: float | None = None
        self.hangs = self.shaded = False
        self.reset()

    @property
    def nearness(self) -> float:
        """How near it is to failing, 0 to 1."""
        return min(1.0, self.bad_in_row / self.settings.failures)

    @property
    def tally(self) -> Tally:
        """What a successor must know of it."""
        failures, successes = self.settings.failures, self.settings.successes
        good, bad = min(self.good_in_row, successes), min(self.bad_in_row, failures)
        return self.standing, good, bad, min(self.unreached_in_row, failures)

    def resume(self, tally: Tally) -> None:
        """Go on from there."""
        self.standing, self.good_in_row, self.bad_in_row, self.unreached_in_row = tally

    def reset(self) -> None:
        """The component is a new one: nothing is known of it."""
        self.standing: ProbeStanding = "pending"
        self.good_in_row = self.bad_in_row = self.unreached_in_row = 0
        self.score: float | None = None

    def begin(self, number: int) -> None:
        """A check is in flight."""
        self.flight = number
        self.hangs = self.shaded = False

    def is_news(self, outcome: Outcome, now: float, *, passed_s: float) -> bool:
        """Whether a check is to be logged: each bad one, and of those that pass in a row one each `passed_s`."""
        if outcome != "passed":
            self.logged_at = None
            return True
        if self.logged_at is not None and now - self.logged_at < passed_s:
            return False
        self.logged_at = now
        return True

    def count(self, outcome: Outcome, score: float | None = None) -> None:
        """A check ended so."""
        if outcome == "unreachable":
            self.unreached_in_row += 1
            self.good_in_row = 0
            if self.unreached_in_row >= self.settings.failures and self.standing != "failing":
                self.standing = "unseen"
            return
        self.unreached_in_row = 0
        self.score = score
        if outcome == "passed":
            self.bad_in_row = 0
            self.good_in_row += 1
            if self.good_in_row >= self.settings.successes:
                self.standing = "passing"
        else:
            self.good_in_row = 0
            self.bad_in_row += 1
            if self.bad_in_row >= self.settings.failures:
                self.standing = "failing"
