"""A half-open breaker's probes: how many may still begin, and when it is decided. Pure.

    deciding --enough succeeded--> passed
       +------too many failed----> failed

It is decided as soon as what is still missing cannot change it. Neutral probes count for nothing: another
takes the place.
"""

from __future__ import annotations

from math import ceil
from typing import Literal

from actors.breaker.settings import BreakerSettings

Result = Literal["passed", "failed"]

_ROUNDING = 1e-9
"""A rate of 0.1 times 30 probes is to be 3, whatever floats make of it."""


class Probation:
    """The probes of one time half-open."""

    def __init__(self, settings: BreakerSettings) -> None:
        self.permits = settings.half_open_permits
        self.required = max(1, ceil(self.permits * settings.half_open_success_rate - _ROUNDING))
        self.successes = 0
        self.failures = 0

    def room(self, outstanding: int) -> int:
        """How many more probes may begin while `outstanding` run."""
        return max(0, self.permits - self.successes - self.failures - outstanding)

    def count(self, *, success: bool) -> Result | None:
        """A probe ended; tells what is decided by now."""
        if success:
            self.successes += 1
        else:
            self.failures += 1
        if self.successes >= self.required:
            return "passed"
        return "failed" if self.failures > self.permits - self.required else None
