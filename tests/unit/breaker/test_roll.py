"""How many breakers a cluster may have: the known ones go on, a new one is refused with all that is to be said."""

from __future__ import annotations

import pickle

import pytest

from actors.breaker.errors import TooManyBreakersError
from actors.breaker.roll import READ_S, Roll


class Board:
    def __init__(self, *names: str) -> None:
        self.names = list(names)
        self.reads = 0

    def read(self) -> list[str]:
        self.reads += 1
        return self.names


def test_one_too_many_says_which_how_many_and_what_raises_it() -> None:
    roll = Roll(Board("b", "a").read, lambda: 3)
    roll.check("c", (), 0.0)
    with pytest.raises(TooManyBreakersError) as refused:
        roll.check("d", ("c",), 0.0)
    error = pickle.loads(pickle.dumps(refused.value))
    assert (error.name, error.limit, error.scope) == ("d", 3, "the cluster")
    assert (error.setting, error.examples) == ("breaker_names_max", ("a", "b", "c"))
    assert "'d' is one too many: the cluster has 3 (among them 'a', 'b', 'c')" in str(error)
    assert "raise breaker_names_max (now 3)" in str(error)


def test_whoever_is_there_goes_on_and_none_is_counted_twice() -> None:
    roll = Roll(Board("a", "b").read, lambda: 2)
    for name in ("a", "b"):
        roll.check(name, (), 0.0)
    roll.check("c", ("c", "d", "e"), 0.0)
    fresh = Roll(Board("a", "b").read, lambda: 3)
    fresh.check("c", ("a", "b"), 0.0)


def test_the_board_is_read_again_after_a_while_and_for_new_names_alone() -> None:
    board = Board("a")
    roll = Roll(board.read, lambda: 2)
    roll.check("mine", ("mine",), 0.0)
    assert board.reads == 0
    roll.check("new", (), 0.0)
    board.names.append("b")
    roll.check("new", (), READ_S / 2)
    assert board.reads == 1
    with pytest.raises(TooManyBreakersError):
        roll.check("new", (), 2 * READ_S)
    roll.check("b", (), 2 * READ_S)


def test_a_larger_cap_holds_at_once() -> None:
    caps = [1]
    roll = Roll(Board("a").read, lambda: caps[-1])
    with pytest.raises(TooManyBreakersError):
        roll.check("b", (), 0.0)
    caps.append(2)
    roll.check("b", (), 0.0)
