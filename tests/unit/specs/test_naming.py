"""A name is short and has no dot; a name behind its groups' names fits into an actor's name."""

from __future__ import annotations

import pytest

from actors.runtime.ids import ActorName, is_valid_name
from supervisor.specs.naming import joined, name_problem, path_problem, pool_of_number


@pytest.mark.parametrize("name", ["cart", "A_1-b", "9", "x" * 63])
def test_good_names(name: str) -> None:
    assert name_problem(name) == ""


@pytest.mark.parametrize("name", ["", "a.b", "-a", "a/b", "a#1", "a b", "é", "x" * 64, "a\n"])
def test_every_other_name_is_refused_with_what_is_allowed(name: str) -> None:
    assert name_problem(name).startswith(f"{name!r} is no name; use letters, digits")


def test_names_are_joined_the_outermost_first() -> None:
    assert joined("shop", "eu", "cart") == "shop.eu.cart"
    assert joined("", "cart") == "cart"


def test_a_path_that_is_allowed_makes_an_actors_name() -> None:
    assert path_problem("x" * 63, pool=False) == ""
    assert is_valid_name("x" * 63)
    assert ActorName.parse(str(ActorName("s", "child", "a.b", 3))) == ActorName("s", "child", "a.b", 3)


def test_a_path_that_is_too_long_is_told_with_its_length() -> None:
    assert "64 characters; at most 63 are possible" in path_problem("x" * 64, pool=False)
    assert path_problem("x" * 57, pool=True) == ""
    assert "58 characters; at most 57 (its members are numbered)" in path_problem("x" * 58, pool=True)


@pytest.mark.parametrize(
    ("path", "pool"),
    [("p-3", "p"), ("g.p-03", "g.p"), ("p-1-2", "p-1"), ("p", ""), ("p-x", ""), ("p-3.a", ""), ("-3", "")],
)
def test_a_number_behind_a_name_is_a_pools(path: str, pool: str) -> None:
    assert pool_of_number(path) == pool
