"""What is wrong between the members of a group is found in data of any shape."""

from __future__ import annotations

from typing import Any

import pytest

from actors.runtime.errors import ConfigError
from supervisor.specs import ChildSpec, GroupSpec, PoolSpec, TreeSpec
from supervisor.specs.nesting import nesting_problems, placing_problems
from tests.unit.specs.scene import Cart


def child(name: object = "a", **more: Any) -> dict[str, Any]:
    return {"name": name, "cls": Cart, **more}


@pytest.mark.parametrize("data", [None, 3, "text", [], {}, {"children": "abc"}, {"children": [None, 3, "x", {}]}])
def test_what_is_no_tree_has_no_members(data: object) -> None:
    assert nesting_problems(data) == ()


def test_a_name_in_use_is_named_with_both_places() -> None:
    tree = {"children": [child()], "pools": [child(size=1)], "groups": [{"name": "a"}, {"name": "b"}]}
    assert nesting_problems(tree) == (
        "pools[0].name: 'a' is already the name of children[0]",
        "groups[0].name: 'a' is already the name of children[0]",
    )


def test_the_same_name_in_two_groups_is_no_clash() -> None:
    assert nesting_problems({"groups": [{"name": n, "children": [child()]} for n in "xy"]}) == ()


def test_specs_and_mappings_may_be_mixed() -> None:
    group = GroupSpec(name="g", children=(ChildSpec(name="a", cls=Cart), PoolSpec(name="p", cls=Cart, size=1)))
    assert nesting_problems({"groups": [group, {"name": "g"}]}) == (
        "groups[1].name: 'g' is already the name of groups[0]",
    )


def test_a_name_that_a_member_of_a_pool_has_is_refused() -> None:
    tree = {"children": [child("p-1"), child("p-x"), child("q-1")], "pools": [child("p", size=2)]}
    (problem,) = nesting_problems(tree)
    assert problem.startswith("children[0].name: 'p-1' is what a member of the pool 'p' is called")


def test_a_path_that_is_too_long_is_told_once_where_it_gets_too_long() -> None:
    inner = {"name": "i" * 30, "children": [child("c" * 30)]}
    tree = {"groups": [{"name": "o" * 3, "groups": [inner]}]}
    (problem,) = nesting_problems(tree)
    assert problem.startswith("groups[0].groups[0].children[0].name: with its groups it is 'ooo.iii")
    assert nesting_problems(tree["groups"][0]) == (problem.removeprefix("groups[0]."),)
    assert nesting_problems(inner) == ()


def test_significance_needs_a_group_that_can_end() -> None:
    significant = child(significant=True)
    (at_root,) = nesting_problems({"children": [significant]})
    assert at_root.startswith("children[0].significant: true, but everything's own group never ends so")
    (in_group,) = nesting_problems({"name": "g", "children": [significant]})
    assert in_group.startswith("children[0].significant: true, but its group's auto_shutdown is never")
    assert nesting_problems({"name": "g", "auto_shutdown": "any_significant", "children": [significant]}) == ()


def test_one_process_is_on_one_node() -> None:
    here = child(share_process=True, node="n1")
    there = child("b", share_process=True)
    (problem,) = nesting_problems({"children": [here, there, child("c", share_process=False, node="n2")]})
    assert problem == ("children[1].node: None, but it shares a process with children[0], whose node is 'n1'")
    apart = child("b", share_process="other", node="n2")
    assert nesting_problems({"children": [here, apart, child("d", share_process="", node="n3")]}) == ()


def test_below_a_name_that_is_too_long_nothing_more_is_said() -> None:
    inner = {"name": "i" * 30, "children": [child("c")], "groups": [{"name": "j", "children": [child()]}]}
    path = f"{'o' * 40}.{'i' * 30}"
    assert nesting_problems({"groups": [{"name": "o" * 40, "groups": [inner]}]}) == (
        f"groups[0].groups[0].name: with its groups it is {path!r}, 71 characters; at most 63 are possible",
    )


@pytest.mark.parametrize("key", ["groups", "children"])
@pytest.mark.parametrize("name", [{"name": "g"}, {}])
def test_data_that_holds_itself_is_left_to_others(key: str, name: dict[str, str]) -> None:
    endless: dict[str, Any] = {**name}
    endless[key] = [endless]
    assert nesting_problems(endless) == ()
    twice: dict[str, Any] = {**name}
    twice[key] = [{"name": "x", key: [twice]}, {"name": "y", key: [twice]}]
    assert nesting_problems(twice) == ()


def test_recursion_is_told_in_one_line() -> None:
    endless: dict[str, Any] = {"name": "g"}
    endless["groups"] = [endless]
    with pytest.raises(ConfigError) as caught:
        TreeSpec.parse({"groups": [endless]}, source="here")
    (problem,) = caught.value.problems
    assert problem.startswith("groups[0].groups[0]: Recursion error - cyclic reference detected")


# -- put into a group -------------------------------------------------------------------------------------------------

DEEP = "g" * 50


def test_what_fits_behind_its_groups_can_be_put_there() -> None:
    fits = GroupSpec(name="h", children=(ChildSpec(name="c" * 10, cls=Cart), PoolSpec(name="pool", cls=Cart, size=1)))
    assert placing_problems(fits, group=DEEP) == ()
    assert placing_problems(ChildSpec(name="c" * 63, cls=Cart), group="root") == ()


def test_a_name_that_does_not_fit_behind_its_groups_is_told() -> None:
    child = ChildSpec(name="c" * 13, cls=Cart)
    pool = PoolSpec(name="p" * 7, cls=Cart, size=1)
    assert placing_problems(child, group=DEEP) == (
        f"name: with its groups it is '{DEEP}.{'c' * 13}', 64 characters; at most 63 are possible",
    )
    assert placing_problems(pool, group=DEEP) == (
        f"name: with its groups it is '{DEEP}.{'p' * 7}', 58 characters; at most 57 (its members are numbered) "
        "are possible",
    )


def test_what_is_in_a_group_is_looked_at_with_it() -> None:
    child = ChildSpec(name="c" * 12, cls=Cart)
    group = GroupSpec(name="h", children=(ChildSpec(name="a", cls=Cart), child))
    (problem,) = placing_problems(group, group=DEEP)
    assert problem.startswith(f"children[1].name: with its groups it is '{DEEP}.h.{'c' * 12}', 65 characters")
    (problem,) = placing_problems(GroupSpec(name="h" * 20, children=(child,)), group=DEEP)
    assert problem.startswith("name: with its groups"), "once, where it gets too long"
