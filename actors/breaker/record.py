"""What a breaker remembers of its calls: counts, durations, and the last few failures. Pure and bounded."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from actors.breaker.latency import make_latencies
from actors.breaker.outcome import FAILED, FAILED_SLOW, SLOW, SUCCESS
from actors.breaker.view import Totals

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actors.breaker.messages import Sample
    from actors.breaker.settings import BreakerSettings

SAMPLES_KEPT = 20
"""Failed calls that are remembered to explain an opening."""


class Record:
    """The memory of one life of the owner.

    Attributes:
        totals: The counts.
        latencies: The durations of the window's calls.

    Args:
        settings: They say how long the window is.
    """

    def __init__(self, settings: BreakerSettings) -> None:
        self.totals = Totals()
        self.latencies = make_latencies(settings)
        self._samples: deque[tuple[float, Sample]] = deque(maxlen=SAMPLES_KEPT)

    def add(self, outcomes: bytes) -> None:
        """Count these calls."""
        if outcomes.count(SUCCESS) == len(outcomes):
            self.totals.successes += len(outcomes)
            return
        failures = outcomes.count(FAILED) + outcomes.count(FAILED_SLOW)
        self.totals.failures += failures
        self.totals.successes += len(outcomes) - failures
        self.totals.slow += outcomes.count(SLOW) + outcomes.count(FAILED_SLOW)

    def remember(self, samples: Iterable[Sample], now: float) -> None:
        """Keep these failed calls, as told at `now`."""
        self._samples.extend((now - sample.ago_s, sample) for sample in samples)

    def samples(self, now: float) -> tuple[Sample, ...]:
        """The failed calls that are kept, the latest last, with how long ago they are at `now`."""
        return tuple(replace(sample, ago_s=max(0.0, now - at)) for at, sample in self._samples)

    def forget_samples(self) -> None:
        """The next opening is another one's."""
        self._samples.clear()
