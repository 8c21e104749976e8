"""A tree file is a tree, and every mistake in it is told with its path before anything starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from actors.recovery.retry import Retry
from actors.runtime.errors import ConfigError
from supervisor.specs import ChildSpec, GroupSpec, PoolSpec, TreeSpec
from supervisor.treefile import dump_tree, load_tree, parse_tree
from tests.unit.specs.scene import BusyError, Cart, Needy

EXAMPLE = Path(__file__).parent / "tree.yaml"

SHOP = TreeSpec(
    children=(ChildSpec(name="audit", cls=Cart, args=("eu",)),),
    groups=(
        GroupSpec(
            name="shop",
            strategy="rest_for_one",
            intensity=3,
            children=(
                ChildSpec(name="stock", cls=Needy, args=(7,), checkpoint=5),
                ChildSpec(
                    name="cart",
                    cls=Cart,
                    kwargs={"limit": 100},
                    standbys=1,
                    checkpoint="each_call",
                    methods={"add": Retry(attempts=5, on=(ConnectionError, BusyError), unknown="never")},
                ),
                PoolSpec(name="pickers", cls=Cart, size=4, restart="transient"),
            ),
        ),
    ),
)


def test_the_example_is_read() -> None:
    assert load_tree(EXAMPLE) == load_tree(str(EXAMPLE)) == SHOP


def test_a_tree_is_itself_and_a_mapping_is_one() -> None:
    assert load_tree(SHOP) is SHOP
    assert load_tree({}) == TreeSpec()


def test_what_is_written_is_read_as_the_same() -> None:
    assert parse_tree(dump_tree(SHOP)) == SHOP
    assert dump_tree(TreeSpec()) == "{}\n"


def test_something_else_is_refused_by_its_type() -> None:
    with pytest.raises(ConfigError, match="not int"):
        load_tree(3)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a", "holds a list, not a mapping"),
        ("a: [", "is no YAML"),
        ("childs: []", "childs: unknown key; known keys here: children, groups, pools"),
        ("children: [{name: a, name: b}]", "children[0].name: the key is given twice, in lines 1 and 1"),
        ("groups: [&a {name: a, groups: [*a]}]", "groups[0].groups[0]: recursion in the file"),
        ("children: [{name: 3, cls: 4}]", "children[0].name: Input should be a valid string (given: 3)"),
        ("children: {a: {}}", "children: Input should be a valid tuple"),
        ("1: 2", "1: a key must be a text"),
    ],
)
def test_a_broken_file_is_told_with_its_path(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "tree.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_tree(path)
    assert caught.value.source == str(path)
    assert caught.value.problems[0].startswith(said)


def test_what_no_file_can_say_is_named_with_its_path() -> None:
    odd: Any = {"limit": {1, 2}}
    tree = TreeSpec(children=(ChildSpec(name="a", cls=Cart, args=((1, [b"x"]),), kwargs=odd),))
    with pytest.raises(ConfigError) as caught:
        dump_tree(tree)
    assert caught.value.problems == (
        "children[0].args[0]: a tuple cannot be written into a file",
        "children[0].kwargs.limit: a set cannot be written into a file",
    )
