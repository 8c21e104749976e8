"""What one process has to tell a breaker's owner about its calls, gathered into batches. Pure and bounded.

A batch leaves when it holds `REPORT_CALLS`, when its first call is `REPORT_S` old, or at once when the gate says that a
failure may open the breaker. While nobody can be told the oldest calls leave: `window` of the gate keeps what matters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.breaker.latency import bucket_of
from actors.breaker.messages import OutcomesReported

if TYPE_CHECKING:
    from actors.breaker.messages import Sample

REPORT_CALLS = 256
REPORT_S = 0.05
PENDING_MAX = 10_000
SAMPLES_MAX = 5


class Reports:
    """The batch that is being gathered, all of one generation.

    Attributes:
        dropped: Calls that left untold.

    Args:
        reporter: This process.
    """

    def __init__(self, reporter: str) -> None:
        self.dropped = 0
        self._reporter = reporter
        self._since: float | None = None
        self._outcomes = bytearray()
        self._durations = bytearray()
        self._samples: list[Sample] = []
        self._refused = self._neutral = 0

    def add(self, outcomes: bytes, now: float) -> None:
        """These calls ended."""
        self._begin(now)
        self._outcomes += outcomes
        excess = len(self._outcomes) - PENDING_MAX
        if excess > 0:
            del self._outcomes[:excess]
            self.dropped += excess

    def add_duration(self, duration_s: float) -> None:
        """One of them took so long."""
        if len(self._durations) < PENDING_MAX:
            self._durations.append(bucket_of(duration_s))

    def add_sample(self, sample: Sample) -> None:
        """One of them failed; the first few of a batch are told."""
        if self.wants_samples:
            self._samples.append(sample)

    def add_refused(self, now: float, count: int = 1) -> None:
        """So many calls were not let through."""
        self._begin(now)
        self._refused += count

    def add_neutral(self, now: float) -> None:
        """A call was ignored or cancelled."""
        self._begin(now)
        self._neutral += 1

    def replace(self, outcomes: bytes, now: float) -> None:
        """Tell these calls instead: a new owner knows none of them."""
        self._outcomes.clear()
        self.add(outcomes, now)

    def forget(self) -> None:
        """A generation is over: what its calls said interests nobody. What was refused stays so."""
        self._outcomes.clear()
        self._durations.clear()
        self._samples.clear()
        if not self._refused and not self._neutral:
            self._since = None

    @property
    def wants_samples(self) -> bool:
        """Whether a failed call would be told in this batch with what it raised."""
        return len(self._samples) < SAMPLES_MAX

    @property
    def is_full(self) -> bool:
        """Whether the batch is to leave now, however young it is."""
        return len(self._outcomes) >= REPORT_CALLS

    def due_at(self) -> float | None:
        """When the batch is to leave, monotonic seconds; None while there is nothing in it."""
        return None if self._since is None else self._since + REPORT_S

    def take(self, generation: int) -> OutcomesReported | None:
        """The batch, which then begins anew; None when there is nothing to tell."""
        if self._since is None:
            return None
        event = OutcomesReported(
            reporter=self._reporter,
            generation=generation,
            outcomes=bytes(self._outcomes),
            durations=bytes(self._durations),
            refused=self._refused,
            neutral=self._neutral,
            samples=tuple(self._samples),
        )
        self._refused = self._neutral = 0
        self.forget()
        return event

    def _begin(self, now: float) -> None:
        if self._since is None:
            self._since = now
