"""An actor's name says who it is and which life of it; anything else is not one of ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.runtime.ids import ActorName, is_valid_name

parts = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,10}", fullmatch=True)


@given(parts, parts, parts, st.integers(0, 2**40))
def test_a_name_is_read_back_as_it_was_written(supervisor: str, concern: str, child: str, incarnation: int) -> None:
    name = ActorName(supervisor, concern, child, incarnation)
    assert ActorName.parse(str(name)) == name


def test_the_parts_of_a_name() -> None:
    name = ActorName("default", "worker", "pool-3", 7)
    assert (str(name), name.key) == ("default/worker/pool-3#7", "worker/pool-3")
    assert str(name.successor()) == "default/worker/pool-3#8"
    assert name < name.successor()


@pytest.mark.parametrize(
    "text", ["", "x", "a/b#1", "a/b/c", "a/b/c#", "a/b/c#x", "a/b/c/d#1", "a/b/c#1#2", "/b/c#1", "a/b/c#1\n", "a/b/c#٣"]
)
def test_what_is_no_name_of_ours_is_told_apart(text: str) -> None:
    assert ActorName.parse(text) is None


@pytest.mark.parametrize(
    ("text", "valid"),
    [("a", True), ("A-1_b.c", True), ("x" * 63, True), ("x" * 64, False), ("", False), ("-a", False), ("a/b", False),
     ("a#1", False), ("a b", False), ("ä", False), ("a\n", False)],
)  # fmt: skip
def test_names_are_letters_digits_and_a_few_signs(text: str, valid: bool) -> None:
    assert is_valid_name(text) == valid
