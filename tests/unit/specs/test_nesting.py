"""What is wrong between the members of a group is found in data of any shape."""

from __future__ import annotations

from typing import Any

import pytest

from supervisor.specs import ChildSpec, GroupSpec, PoolSpec
from supervisor.specs.nesting import nesting_problems
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


def test_data_without_a_bottom_is_left_to_others() -> None:
    endless: dict[str, Any] = {"name": "g"}
    endless["groups"] = [endless]
    problems = nesting_problems(endless)
    assert all(problem.partition(":")[0].endswith("name") for problem in problems)
