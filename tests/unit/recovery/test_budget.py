"""Retries are a share of the first tries, and a few are always possible."""

from __future__ import annotations

import pytest

from actors.recovery.budget import RetryBudget


def _taken(budget: RetryBudget, now: float, asked: int) -> int:
    return sum(budget.take(now) for _ in range(asked))


def test_the_burst_then_the_floor() -> None:
    budget = RetryBudget(share=0.2, floor_per_s=2.0, burst=5.0, now=0.0)
    assert _taken(budget, 0.0, 100) == 5
    assert budget.wait_s(0.0) == 0.5
    assert _taken(budget, 1.0, 100) == 2
    assert _taken(budget, 0.0, 100) == 0, "a clock that steps back gives nothing"
    assert budget.wait_s(100.0) == 0.0


def test_first_tries_pay_their_share_in() -> None:
    budget = RetryBudget(share=0.2, floor_per_s=0.001, burst=50.0, now=0.0)
    _taken(budget, 0.0, 100)
    budget.first(0.0, tries=100)
    assert _taken(budget, 0.0, 100) == 20


@pytest.mark.parametrize("tries", [10, 1000, 100_000])
def test_no_more_than_the_burst_is_kept(tries: int) -> None:
    budget = RetryBudget(burst=3.0, now=0.0)
    budget.first(0.0, tries=tries)
    assert _taken(budget, 0.0, tries) == 3
