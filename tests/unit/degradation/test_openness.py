"""What is seen becomes numbers that rules compare."""

from __future__ import annotations

import pytest

from actors.breaker.published import Published, State
from actors.degradation.openness import burn_of, openness_of
from actors.degradation.settings import BudgetSettings


@pytest.mark.parametrize(
    ("state", "openness"),
    [("closed", 0.0), ("open", 1.0), ("forced_open", 1.0), ("half_open", 0.5), ("disabled", 0.0), ("shadow", 0.0)],
)
def test_a_breaker_is_as_open_as_it_refuses(state: State, openness: float):
    assert openness_of(Published(state=state, generation=1)) == openness


def test_a_ramp_opens_by_its_share():
    assert openness_of(Published(state="ramping", generation=1, share=0.25)) == 0.75


def test_a_budget_burns_as_many_times_as_fast_as_it_may():
    settings = BudgetSettings(objective=0.99, tasks_min=100)
    assert burn_of(99, 99, settings) is None
    assert burn_of(100, 0, settings) == 0.0
    assert burn_of(0, 0, settings) == burn_of(5, 0, settings) == 0.0, "what does not fail burns nothing"
    assert burn_of(100, 2, settings) == pytest.approx(2.0)
