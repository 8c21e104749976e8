"""What the benchmark's rows of chaos measure is what they say."""

from __future__ import annotations

from experiments.bench import chaos
from experiments.checker import Effect, Submitted


def test_the_history_has_so_many_attempts_and_is_clean() -> None:
    facts = [fact for chunk in chaos.history(25_000) for fact in chunk]
    assert sum(isinstance(fact, Effect) for fact in facts) == 25_000
    assert len({fact.key for fact in facts if isinstance(fact, Submitted)}) == 25_000
    took_s, memory_mb = chaos.attempts_checked(25_000)
    assert took_s > 0
    assert 10 < memory_mb < 500


def test_a_fault_point_is_measured() -> None:
    assert 0 <= chaos.fault_point_s() < 1e-5
