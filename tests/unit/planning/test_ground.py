"""Two runs meet where they touch the same name, or where one needs a place for itself that the other is on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from experiments.planning.ground import Ground, node_place, process_place

PLACES = st.lists(st.sampled_from("abc"), unique=True).map(tuple)
GROUNDS = st.builds(Ground, names=PLACES, holds=PLACES, stands=PLACES)


def test_they_meet_by_name_and_by_place() -> None:
    one = Ground(names=("x",), holds=("node a",), stands=("node a", "process p"))
    assert one.shared_with(Ground(names=("x", "y"))) == ("x",)
    assert one.shared_with(Ground(names=("y",), stands=("node a",))) == ("node a",)
    assert one.shared_with(Ground(names=("y",), holds=("process p",))) == ("process p",)
    assert one.shared_with(Ground(stands=("process p",))) == (), "neither needs it for itself"


@given(GROUNDS, GROUNDS)
def test_whoever_is_asked_says_the_same(one: Ground, other: Ground) -> None:
    assert one.shared_with(other) == other.shared_with(one)


@given(GROUNDS)
def test_it_is_written_down_and_read_back(ground: Ground) -> None:
    assert Ground.from_data(ground.as_data()) == ground
    assert Ground.from_data({}) == Ground()


def test_places_are_told_apart_by_kind_and_read_by_people() -> None:
    node = "3fa2c1d0e9f8a7b6c5d4"
    assert node_place(node) == "node 3fa2c1d0e9f8"
    assert process_place(f"{node}/12/345") == "process 3fa2c1d0e9f8/12/345"
