"""How suspicious is a silence? Phi accrual over the times between heartbeats. Pure.

Phi is -log10 of the chance that a heartbeat comes later still: at 1 one silence in ten is taken for a death, at 8 one
in a hundred million. The times are taken as normally distributed, with a floor under the deviation: a process that was
regular to the millisecond is not dead because it was late by two.

A silence that was too suspicious was a death, not a beat: it counts for no longer than what makes it so. Else who was
dead for an hour would be given half an hour the next time; who only beats more slowly than was said is learned from
in a few beats all the same.

Source: Hayashibara et al., "The phi accrual failure detector" (2004); the logistic approximation of Akka's detector.
"""

from __future__ import annotations

from collections import deque
from math import asinh, exp, expm1, log, log1p, sinh, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actors.health.settings import ProbeSettings

WINDOW = 100
"""Times between heartbeats that are remembered."""

_LEAST_DEVIATION = 0.1
_LINEAR, _CUBIC = 1.5976, 0.070566
_LOG10_E = 0.4342944819032518
_STEEP = 500.0
_LEAST_LIMIT = 8.0  # who bears less suspicion learns from the same silences all the same


class Heartbeats:
    """What is known of one sender.

    Args:
        expected_s: The time between heartbeats that is assumed before any was heard, seconds.
        limit: The suspicion that is too much.
        now: When it began to be listened to, monotonic seconds.
    """

    def __init__(self, *, expected_s: float, limit: float, now: float) -> None:
        self._expected_s = expected_s
        self._limit_late = _late_at(max(limit, _LEAST_LIMIT))
        self._apart: deque[float] = deque([expected_s], maxlen=WINDOW)
        self._heard_at = now

    def hear(self, now: float) -> None:
        """A heartbeat arrived at `now`."""
        mean, deviation = self._usual()
        longest_s = mean + self._limit_late * deviation
        self._apart.append(min(max(0.0, now - self._heard_at), longest_s))
        self._heard_at = max(self._heard_at, now)

    def pause(self, blind_s: float) -> None:
        """Nobody listened for so long: that silence says nothing, seconds."""
        self._heard_at += blind_s

    def phi(self, now: float) -> float:
        """The suspicion at `now`, from 0."""
        mean, deviation = self._usual()
        late = (now - self._heard_at - mean) / deviation
        power = late * (_LINEAR + _CUBIC * late * late)
        return power * _LOG10_E if power > _STEEP else log1p(exp(power)) * _LOG10_E

    def _usual(self) -> tuple[float, float]:
        """The mean time between heartbeats and its deviation, seconds."""
        mean = sum(self._apart) / len(self._apart)
        spread = sum((each - mean) ** 2 for each in self._apart) / len(self._apart)
        return mean, max(sqrt(spread), _LEAST_DEVIATION * self._expected_s)


def heartbeats_of(settings: ProbeSettings, now: float) -> Heartbeats | None:
    """The heartbeats that a probe is judged by, heard from `now` on; None of one that is run."""
    if settings.phi is None:
        return None
    return Heartbeats(expected_s=settings.interval_s, limit=settings.phi, now=now)


def _late_at(phi: float) -> float:
    """So many deviations late is who is so suspicious: the one real root of what `phi` computes."""
    power, ratio = log(expm1(phi / _LOG10_E)), _LINEAR / _CUBIC
    edge = sqrt(ratio / 3)
    return 2 * edge * sinh(asinh(3 * power / (2 * _CUBIC * ratio * edge)) / 3)
