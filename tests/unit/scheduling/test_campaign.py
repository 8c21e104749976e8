"""The worst of many seeds stands first, and is the campaign's exit code."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.scheduling.campaign import SeededRun, conclude, seeds_of


def run(seed: int, verdict: Any = "held", score: float | None = 90.0, recover_s: float | None = 1.0) -> SeededRun:
    return SeededRun(seed=seed, verdict=verdict, score=score, recover_s=recover_s)


def test_seeds_begin_with_the_experiments_own_and_differ() -> None:
    seeds = seeds_of(7, 1000)
    assert (seeds[0], len(set(seeds)), seeds_of(7, 10)) == (7, 1000, seeds[:10])
    for wrong in (0, 10_001):
        with pytest.raises(ValueError, match="can be run"):
            seeds_of(7, wrong)


def test_the_worst_first() -> None:
    runs = [
        run(1),
        run(2, score=80.0),
        run(3, "inconclusive", None, None),
        run(4, "deviated", 50.0),
        run(5, "deviated", 0.0),
        run(6, score=80.0, recover_s=9.0),
        run(7, "aborted", None),
        run(8, "not_started", None, None),
    ]
    found = conclude(runs)
    assert [each.seed for each in found.runs] == [5, 4, 7, 3, 8, 6, 2, 1]
    assert (found.worst.seed, found.exit_code, found.recover_s) == (5, 10, 1.0)
    assert found.counts == {"deviated": 2, "aborted": 1, "inconclusive": 1, "not_started": 1, "held": 3}
    with pytest.raises(ValueError, match="without runs"):
        conclude([])


@given(st.lists(st.sampled_from(["held", "deviated", "aborted"]), min_size=1, max_size=9), st.randoms())
def test_the_order_of_the_runs_says_nothing(verdicts: list[Any], rng: Any) -> None:
    runs = [run(seed, verdict) for seed, verdict in enumerate(verdicts)]
    mixed = runs[:]
    rng.shuffle(mixed)
    assert conclude(mixed) == conclude(runs)
    assert (conclude(runs).exit_code == 0) == (set(verdicts) == {"held"})
