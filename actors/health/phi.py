"""How suspicious is a silence? Phi accrual over the times between heartbeats. Pure.

Phi is -log10 of the chance that a heartbeat comes later still: at 1 one silence in ten is taken for a death, at 8 one
in a hundred million. The times are taken as normally distributed, with a floor under the deviation: a process that was
regular to the millisecond is not dead because it was late by two.

Source: Hayashibara et al., "The phi accrual failure detector" (2004); the logistic approximation of Akka's detector.
"""

from __future__ import annotations

from collections import deque
from math import exp, log1p, sqrt

WINDOW = 100
"""Times between heartbeats that are remembered."""

_LEAST_DEVIATION = 0.1
_LOG10_E = 0.4342944819032518
_STEEP = 500.0


class Heartbeats:
    """What is known of one sender.

    Args:
        expected_s: The time between heartbeats that is assumed before any was heard, seconds.
        now: When it began to be listened to, monotonic seconds.
    """

    def __init__(self, *, expected_s: float, now: float) -> None:
        self._expected_s = expected_s
        self._apart: deque[float] = deque([expected_s], maxlen=WINDOW)
        self._heard_at = now

    def hear(self, now: float) -> None:
        """A heartbeat arrived at `now`."""
        self._apart.append(max(0.0, now - self._heard_at))
        self._heard_at = max(self._heard_at, now)

    def pause(self, blind_s: float) -> None:
        """Nobody listened for so long: that silence says nothing, seconds."""
        self._heard_at += blind_s

    def phi(self, now: float) -> float:
        """The suspicion at `now`, from 0."""
        mean = sum(self._apart) / len(self._apart)
        spread = sum((each - mean) ** 2 for each in self._apart) / len(self._apart)
        deviation = max(sqrt(spread), _LEAST_DEVIATION * self._expected_s)
        late = (now - self._heard_at - mean) / deviation
        power = late * (1.5976 + 0.070566 * late * late)
        return power * _LOG10_E if power > _STEEP else log1p(exp(power)) * _LOG10_E
