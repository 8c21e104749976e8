"""Thousands of children in virtual time: whatever happens to them, no promise is broken."""

from __future__ import annotations

import pytest

from experiments.bench.simulation import Simulation


@pytest.mark.parametrize(
    ("children", "events"),
    [(1_000, 20_000), pytest.param(10_000, 1_000_000, marks=[pytest.mark.soak, pytest.mark.timeout(600)])],
)
def test_random_events_break_no_promise(children: int, events: int) -> None:
    outcome = Simulation(children, seed=7).run(events)
    assert outcome.broken == []
    assert outcome.events == events
