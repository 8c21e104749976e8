"""Does the monitor see? Its own blindness is never taken for sickness of others. Pure.

    seeing --`cut_off_share` of at least two places not reached--> cut off --fewer--> seeing
       |  --Ray's table silent for `blind_after_s`--> cut off --it answers anybody--> seeing

What runs in the monitor's own process is at no place, but what looks for actors, children and nodes looks in Ray's own
table: while its GCS does not answer, nothing can be said of them. A monitor that was late by more than it may was
stopped or starved: it looked at nobody in between, and whatever did not answer then may have answered to nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

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
        self._in_vain: set[Hashable] = set()
        self._silent_since = 0.0
        self._silent_s: float | None = None
        self.cut_off = False

    @property
    def is_dim(self) -> bool:
        """Whether it is cut off, or may be: of whom nothing is heard then, nothing is known."""
        return self.cut_off or bool(self._in_vain)

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

    def look_up(self, who: Hashable, *, answers: bool, now: float) -> bool:
        """Somebody's check has looked in Ray's table; tells whether `cut_off` changed.

        Args:
            who: Whose check.
            answers: Whether the table answered.
            now: Monotonic seconds.
        """
        if answers:
            self._in_vain.clear()
        else:
            if not self._in_vain:
                self._silent_since = now
            self._in_vain.add(who)
        silent_s = now - self._silent_since
        self._silent_s = silent_s if self._in_vain and silent_s >= self._settings.blind_after_s else None
        return self._judge()

    def look_away(self, who: Hashable) -> bool:
        """Its check is no more, or what it has said is wanted no more; tells whether `cut_off` changed."""
        self._in_vain.discard(who)
        self._silent_s = self._silent_s if self._in_vain else None
        return self._judge()

    def __str__(self) -> str:
        places = f"{self._out} of {len(self._reached)} places cannot be reached"
        if self._silent_s is None:
            return places
        table = f"Ray's table has not answered for {self._silent_s:.1f} s: its GCS is down or out of reach"
        return f"{places}; {table}" if self._out else table

    def _judge(self) -> bool:
        known = len(self._reached)
        before = self.cut_off
        places = known >= _LEAST_PLACES and self._out >= self._settings.cut_off_share * known
        self.cut_off = places or self._silent_s is not None
        return self.cut_off != before
