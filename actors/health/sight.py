"""Does the monitor see? Its own blindness is never taken for sickness of others. Pure.

    seeing --`cut_off_share` of at least two places not reached--> cut off --fewer--> seeing

A monitor that was late by more than it may was stopped or starved: it looked at nobody in between, and whatever did not
answer then may have answered to nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actors.health.settings import MonitorSettings

_LEAST_PLACES = 2

LATE_S = 0.25
"""What was late by more is forgiven: a check in flight meanwhile that ended badly does not count, seconds."""


class Sight:
    """What the monitor knows of itself.

    Attributes:
        cut_off: Whether it cannot reach what it should.
    """

    def __init__(self, settings: MonitorSettings) -> None:
        self._settings = settings
        self._reached: dict[str, bool] = {}
        self._out = 0
        self.cut_off = False

    def gap_s(self, *, last: float, due: float | None, now: float) -> float:
        """For how long it did not look just now though it should have, seconds; 0 if that was no longer than usual.

        Args:
            last: When it last did something, monotonic seconds.
            due: When it was to do something next, or None.
            now: The moment.
        """
        late_s = 0.0 if due is None else now - max(last, due)
        return late_s if late_s > min(LATE_S, self._settings.blind_after_s) else 0.0

    def see(self, place: str, *, reached: bool) -> bool:
        """A place was reached or not; tells whether `cut_off` changed."""
        if place:
            self._out += self._reached.get(place, True) - reached
            self._reached[place] = reached
        return self._judge()

    def leave(self, place: str) -> bool:
        """A place is not there to be reached, as its supervisor says; tells whether `cut_off` changed."""
        return self.forget(frozenset(self._reached.keys() - {place}))

    def forget(self, places: frozenset[str]) -> bool:
        """Only these places are left; tells whether `cut_off` changed."""
        self._reached = {place: reached for place, reached in self._reached.items() if place in places}
        self._out = sum(not reached for reached in self._reached.values())
        return self._judge()

    def __str__(self) -> str:
        return f"{self._out} of {len(self._reached)} places cannot be reached"

    def _judge(self) -> bool:
        known = len(self._reached)
        before = self.cut_off
        self.cut_off = known >= _LEAST_PLACES and self._out >= self._settings.cut_off_share * known
        return self.cut_off != before
