"""A component that changes all the time is told of once. Pure.

    calm --`flap_changes` changes within `flap_window_s`--> flapping --`flap_calm_s` without a change--> calm

While it flaps it is held at the worst that it was, and nobody is told of each turn.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actors.health.settings import MonitorSettings


KeptFlapping = tuple[bool, tuple[float, ...]]
"""Whether it flaps, and how long ago each of its latest changes was, seconds."""


class Flapping:
    """One component's changes.

    Attributes:
        active: Whether it flaps.
    """

    def __init__(self, settings: MonitorSettings) -> None:
        self._settings = settings
        self._changes: deque[float] = deque(maxlen=settings.flap_changes)
        self.active = False

    def change(self, now: float) -> bool:
        """It changed at `now`; tells whether it flaps since this very change."""
        self._changes.append(now)
        full = len(self._changes) == self._settings.flap_changes
        if self.active or not full or now - self._changes[0] > self._settings.flap_window_s:
            return False
        self.active = True
        return True

    def settle(self, now: float) -> bool:
        """Tells whether it has just become calm."""
        if not self.active or now - self._changes[-1] < self._settings.flap_calm_s:
            return False
        self.active = False
        self._changes.clear()
        return True

    def kept(self, now: float) -> KeptFlapping:
        """What a successor goes on with."""
        return self.active, tuple(now - at for at in self._changes)

    def resume(self, kept: KeptFlapping, then: float) -> None:
        """Go on from what was kept at `then`, monotonic seconds."""
        self._changes.extend(then - ago_s for ago_s in kept[1])
        self.active = kept[0] and bool(self._changes)
