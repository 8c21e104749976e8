"""Seeded chance is even enough, and the same everywhere."""

from __future__ import annotations

from actors.breaker.chance import SeededChance


def test_the_same_seed_draws_the_same_numbers_everywhere() -> None:
    first, second, other = SeededChance(7), SeededChance("7"), SeededChance(8)
    drawn = [first.random() for _ in range(5)]
    assert drawn == [second.random() for _ in range(5)]
    assert drawn != [other.random() for _ in range(5)]
    assert round(drawn[0], 6) == 0.82875


def test_numbers_lie_evenly_from_0_to_below_1() -> None:
    chance = SeededChance("even")
    drawn = [chance.random() for _ in range(10_000)]
    assert 0.0 <= min(drawn) < 0.01
    assert 0.99 < max(drawn) < 1.0
    assert abs(sum(drawn) / len(drawn) - 0.5) < 0.02
