"""A row and its rounds."""

from __future__ import annotations

from experiments.bench.row import Measured, Row, p99

ROW = Row(name="n", title="t", against="a", unit="s", scale=1.0, better="below", target=1.0)


def test_a_row_that_is_to_stay_below_is_reached_by_its_median() -> None:
    measured = Measured(row=ROW, ours=(0.5, 0.9, 3.0), theirs=(1.0, 1.0, 1.0))
    assert measured.ratio == 0.9
    assert measured.reached
    assert measured.shown_target() == "<= 1 x"
    assert not Measured(row=ROW, ours=(2.0,), theirs=(1.0,)).reached


def test_the_99th_of_a_hundred_is_the_last_but_one() -> None:
    assert p99([float(number) for number in range(100, 0, -1)]) == 99.0
    assert p99([float(number) for number in range(1, 1001)]) == 990.0
    assert (p99([3.0, 4.0]), p99([3.0])) == (4.0, 3.0)
