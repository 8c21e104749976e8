"""Who of the predecessors' children is adopted, who had been fenced, and which incarnation comes next."""

from __future__ import annotations

from supervisor.adoption import Survivors, sort_survivors
from supervisor.messages import KnownActor


def _actor(key: str, incarnation: int, *, alive: bool = True) -> KnownActor:
    return KnownActor(key=key, incarnation=incarnation, alive=alive)


def test_nobody_survives_an_empty_table() -> None:
    assert sort_survivors([]) == Survivors(last={}, alive={}, fenced=())


def test_the_latest_life_of_each_key_is_adopted_if_it_lives() -> None:
    """An earlier one that still lives was fenced; a dead one only counts."""
    table = [
        _actor("worker/a", 3),
        _actor("worker/a", 1, alive=False),
        _actor("worker/a", 2),
        _actor("worker/b", 4),
        _actor("worker/b", 5, alive=False),
        _actor("worker/c", 9, alive=False),
    ]
    assert sort_survivors(table) == Survivors(
        last={"worker/a": 3, "worker/b": 5, "worker/c": 9},
        alive={"worker/a": table[0]},
        fenced=(table[2], table[3]),
    )


def test_supervisors_are_neither_adopted_nor_ended() -> None:
    """They see for themselves that a later one leads."""
    table = [_actor("supervisor/root", 1), _actor("supervisor/root", 2)]
    assert sort_survivors(table) == Survivors(last={"supervisor/root": 2}, alive={}, fenced=())
