"""A new life decides once it has the latest copy that can be expected."""

from __future__ import annotations

from actors.runtime.replicated import Replica
from actors.service.gathering import BOARDS_S, PROCESSES_S, Gathering
from actors.service.posting import Posted


def copy(life: int, version: int, age_s: float = 0.0) -> Posted:
    return Posted(replica=Replica(life, version, b""), age_s=age_s)


def test_the_first_life_waits_for_nobody():
    assert Gathering(1, 0.0).is_settled(0.0)


def test_every_board_is_waited_for_and_the_latest_copy_counts():
    gathering = Gathering(3, 0.0)
    gathering.found(copy(2, 4), 0.0)
    gathering.ask(["a", "b"], 0.1)
    gathering.answered("a", copy(2, 5, 1.0), 0.2)
    assert not gathering.is_settled(0.2)
    gathering.answered("b", copy(1, 9), 0.3)
    assert gathering.is_settled(0.3)
    assert gathering.latest(0.7) == (1.5, copy(2, 5, 1.0))


def test_a_board_that_does_not_answer_is_waited_for_so_long():
    gathering = Gathering(2, 0.0)
    assert gathering.next_at() == BOARDS_S
    gathering.ask(["a"], 0.1)
    gathering.found(copy(1, 1), 0.2)
    assert not gathering.is_settled(BOARDS_S - 0.01)
    assert gathering.is_settled(BOARDS_S)


def test_without_a_copy_on_a_board_processes_may_bring_one():
    gathering = Gathering(2, 0.0)
    gathering.ask([], 0.5)
    assert not gathering.is_settled(0.6)
    assert gathering.next_at() == 0.5 + PROCESSES_S
    gathering.found(copy(1, 1), 0.7)
    assert gathering.is_settled(0.7)


def test_nobody_has_one():
    gathering = Gathering(2, 0.0)
    gathering.ask(["a"], 0.0)
    gathering.answered("a", None, 0.1)
    assert gathering.is_settled(0.1 + PROCESSES_S)
    assert gathering.latest(2.0) is None
