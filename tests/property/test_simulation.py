"""A cluster that fails at random, thousands of children, a virtual clock: what must hold of the tree does."""

from __future__ import annotations

import pytest

from experiments.bench import simulation
from experiments.bench.simulation import Simulation


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_twenty_thousand_random_events(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """A small tree in much trouble, looked at often, with failovers; at the end nothing is left."""
    monkeypatch.setattr(simulation, "CHECK_EVERY", 500)
    run = Simulation(children=80 * seed, seed=seed, faults=seed / 2)
    run.run(20_000)
    run.end()
    assert run.tally.kinds["LeaderStarted"] > 1
    assert run.tally.kinds["Answer"] > 0


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_million_random_events_at_ten_thousand_children() -> None:
    run = Simulation(children=10_000, seed=20251125)
    tally = run.run(1_000_000)
    run.end()
    assert tally.events >= 1_000_000
    print(f"{tally.us_per_event:.1f} us per event, {dict(tally.kinds)}")  # noqa: T201 - what a soak run is read for


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(100, 200))
def test_a_hundred_small_trees_in_much_trouble(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr(simulation, "CHECK_EVERY", 50)
    run = Simulation(children=30 + seed % 90, seed=seed, faults=2.0)
    run.run(20_000)
    run.end()


def test_what_a_benchmark_asks_for() -> None:
    assert 0 < simulation.cost_per_event_s(100, 2_000, seed=1) < 1
