"""Counts, and the last failures with their age."""

from __future__ import annotations

from actors.breaker.messages import Sample
from actors.breaker.outcome import FAILED, FAILED_SLOW, SLOW, SUCCESS
from actors.breaker.record import SAMPLES_KEPT, Record
from actors.breaker.settings import BreakerSettings


def test_calls_are_counted_by_what_they_said() -> None:
    record = Record(BreakerSettings())
    record.add(bytes([SUCCESS, FAILED, SLOW, FAILED_SLOW, SUCCESS]))
    assert (record.totals.successes, record.totals.failures, record.totals.slow) == (3, 2, 2)


def test_the_last_failures_are_kept_with_their_age() -> None:
    record = Record(BreakerSettings())
    record.remember([Sample(reporter="p", error=str(number), ago_s=1.0) for number in range(SAMPLES_KEPT + 2)], 10.0)
    samples = record.samples(12.0)
    assert (len(samples), samples[0].error, samples[-1].ago_s) == (SAMPLES_KEPT, "2", 3.0)
    assert record.samples(0.0)[0].ago_s == 0.0
    record.forget_samples()
    assert record.samples(12.0) == ()
