"""A lot depends on its question alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from experiments.planning.lots import fraction, shuffled


@given(st.lists(st.text(max_size=5), unique=True), st.integers(0, 2**40), st.randoms())
def test_the_order_drawn_is_not_the_order_given(items: list[str], seed: int, rng: object) -> None:
    drawn = shuffled(items, seed, "q", name=str)
    mixed = items[:]
    rng.shuffle(mixed)  # pyright: ignore[reportAttributeAccessIssue]
    assert shuffled(mixed, seed, "q", name=str) == drawn
    assert sorted(drawn) == sorted(items)


def test_lots_are_spread_over_all_that_is_possible_and_stay_what_they_are() -> None:
    lots = [fraction(seed, "x") for seed in range(1000)]
    assert all(0 <= lot < 1 for lot in lots)
    assert 0.45 < sum(lots) / len(lots) < 0.55
    assert fraction(7, "a", 1) == 0.8188318067068877
    assert fraction(7, "a", 1) != fraction(7, "a1")
