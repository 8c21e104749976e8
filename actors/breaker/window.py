"""The outcomes that a breaker judges by: the last so many calls, or those of the last so many seconds. Pure.

    octets of a batch -> | ring of the last `size` calls |          -> calls, failures, slow
                         | 20 buckets of a twentieth of `window_s` | -> the same
                      -> run of failures in a row

Both take batches, cost the same for each call however many there are, and hold a bounded number of octets or counts. A
window of time covers between 19 and 20 twentieths of its length: the bucket that is being filled, and those before it.

Source: the sliding windows of Resilience4j, "CircuitBreaker"; there a bucket is a second.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import floor
from typing import TYPE_CHECKING

from actors.breaker.outcome import FAILED, FAILED_SLOW, SLOW, SUCCESS

if TYPE_CHECKING:
    from actors.breaker.settings import BreakerSettings

BUCKETS = 20

_CODES = (SUCCESS, FAILED, SLOW, FAILED_SLOW)
_SUCCESSES = bytes([SUCCESS])
_WITHOUT_SLOWNESS = bytes(code & FAILED for code in range(256))


class FailureRun:
    """Failures in a row.

    Attributes:
        length: The run that the latest call ended or went on with.
        peak: The longest run that the last batch began or went on with, also if a success in it ended the run.
    """

    __slots__ = ("length", "peak")

    def __init__(self) -> None:
        self.length = 0
        self.peak = 0

    def add(self, outcomes: bytes) -> None:
        """Go on with these calls, oldest first."""
        if not outcomes.strip(_SUCCESSES):
            self.length = self.peak = 0
            return
        runs = outcomes.translate(_WITHOUT_SLOWNESS).split(b"\0")
        first = self.length + len(runs[0])
        self.peak = max(first if runs[0] else 0, *map(len, runs))
        self.length = first if len(runs) == 1 else len(runs[-1])

    def clear(self) -> None:
        """Forget it."""
        self.length = self.peak = 0


class Window(ABC):
    """What both kinds have in common.

    Attributes:
        calls: Calls in the window.
        failures: Those of them that failed.
        slow: Those of them that were slow.
        run: Failures in a row, of all calls since the window was cleared.
    """

    def __init__(self) -> None:
        self.calls = self.failures = self.slow = 0
        self.run = FailureRun()

    @property
    def failure_rate(self) -> float:
        """Failures per call, 0 without calls."""
        return self.failures / self.calls if self.calls else 0.0

    @property
    def slow_rate(self) -> float:
        """Slow calls per call, 0 without calls."""
        return self.slow / self.calls if self.calls else 0.0

    def add(self, outcomes: bytes, now: float) -> None:
        """Take these calls, oldest first, as having ended by `now`, monotonic seconds."""
        if outcomes:
            self._take(outcomes, now)
            self.run.add(outcomes)

    @abstractmethod
    def settle(self, now: float) -> None:
        """Let what is too old at `now` leave."""

    @abstractmethod
    def contents(self) -> bytes:
        """Its calls: oldest first if it is one of calls, in no order if it is one of time."""

    @abstractmethod
    def clear(self) -> None:
        """Forget everything."""

    @abstractmethod
    def _take(self, outcomes: bytes, now: float) -> None:
        """Some calls, not none."""


class CountWindow(Window):
    """The last `size` calls, one octet each."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size
        self.clear()

    def settle(self, now: float) -> None:
        """Calls do not age."""

    def contents(self) -> bytes:
        ordered = self._ring[self._at :] + self._ring[: self._at]
        return bytes(ordered[self._size - self.calls :])

    def clear(self) -> None:
        self.calls = self.failures = self.slow = 0
        self.run.clear()
        self._ring = bytearray(self._size)
        self._at = 0

    def _take(self, outcomes: bytes, now: float) -> None:
        del now
        kept = outcomes[-self._size :]
        room = self._size - self._at
        self._write(kept[:room])
        if len(kept) > room:
            self._write(kept[room:])
        self.calls = min(self._size, self.calls + len(kept))

    def _write(self, codes: bytes) -> None:
        """Put these where the oldest are; a place that was never written holds a success, which counts for nothing."""
        until = self._at + len(codes)
        former = self._ring[self._at : until]
        self._ring[self._at : until] = codes
        self._at = until % self._size
        if codes == bytes(former):
            return  # most often: nothing but successes, in place of successes
        both = codes.count(FAILED_SLOW) - former.count(FAILED_SLOW)
        self.failures += codes.count(FAILED) - former.count(FAILED) + both
        self.slow += codes.count(SLOW) - former.count(SLOW) + both


class TimeWindow(Window):
    """The calls of the last `window_s` seconds, in buckets; a `now` before the latest one counts as the latest."""

    def __init__(self, window_s: float) -> None:
        super().__init__()
        self._bucket_s = window_s / BUCKETS
        self._latest: int | None = None
        self.clear()

    def settle(self, now: float) -> None:
        index = floor(now / self._bucket_s)
        latest = index if self._latest is None else self._latest
        for number in range(latest + 1, min(index, latest + BUCKETS) + 1):
            self._count(self._buckets[number % BUCKETS], -1)
            self._buckets[number % BUCKETS] = [0] * len(_CODES)
        self._latest = max(latest, index)

    def contents(self) -> bytes:
        return b"".join(bytes([code]) * sum(bucket[code] for bucket in self._buckets) for code in _CODES)

    def clear(self) -> None:
        self.calls = self.failures = self.slow = 0
        self.run.clear()
        self._buckets = [[0] * len(_CODES) for _ in range(BUCKETS)]

    def _take(self, outcomes: bytes, now: float) -> None:
        self.settle(now)
        assert self._latest is not None
        added = [outcomes.count(code) for code in _CODES]
        bucket = self._buckets[self._latest % BUCKETS]
        bucket[:] = map(sum, zip(bucket, added, strict=True))
        self._count(added, +1)

    def _count(self, by_code: list[int], sign: int) -> None:
        self.calls += sign * sum(by_code)
        self.failures += sign * (by_code[FAILED] + by_code[FAILED_SLOW])
        self.slow += sign * (by_code[SLOW] + by_code[FAILED_SLOW])


def make_window(settings: BreakerSettings) -> Window:
    """The window that the settings ask for, empty."""
    if settings.window_s is not None:
        return TimeWindow(settings.window_s)
    assert settings.window_calls is not None
    return CountWindow(settings.window_calls)
