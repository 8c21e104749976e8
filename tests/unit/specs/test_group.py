"""Groups and trees: their members by kind, in start order, and every problem below them with its whole path."""

from __future__ import annotations

from typing import Any

import pytest

from supervisor.specs import ChildSpec, GroupSpec, PoolSpec, TreeSpec
from supervisor.specs.group import settings_of
from tests.unit.specs.scene import Cart, problems


def child(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "cls": Cart, **more}


def test_the_defaults_are_those_of_otp() -> None:
    group = GroupSpec(name="g")
    assert (group.strategy, group.intensity, group.period_s) == ("one_for_one", 1, 5.0)
    assert (group.auto_shutdown, group.restart, group.backoff, group.children) == ("never", "permanent", None, ())


def test_members_are_told_apart_by_their_keys() -> None:
    tree = TreeSpec.parse(
        {"children": [child("a"), child("p", size=2), {"name": "g", "intensity": 0}, {"name": "h", "children": []}]},
        source="here",
    )
    assert [type(member) for member in tree.children] == [ChildSpec, PoolSpec, GroupSpec, GroupSpec]


def test_pools_and_groups_start_after_the_children() -> None:
    data = {"groups": [{"name": "h"}], "pools": [child("p", size=1)], "children": [child("a")]}
    group = GroupSpec.parse({"name": "g", **data}, source="here")
    assert [member.name for member in group.children] == ["a", "p", "h"]
    assert (group.members, group.pools, group.groups) == (group.children, (), ())
    tree = TreeSpec.parse(data, source="here")
    assert [member.name for member in tree.members] == ["a", "p", "h"]
    assert [len(tree.children), len(tree.pools), len(tree.groups)] == [1, 1, 1]


def test_specs_made_by_hand_are_members_as_they_are() -> None:
    inner = GroupSpec(name="h", children=(ChildSpec(name="a", cls=Cart),))
    pool = PoolSpec(name="p", cls=Cart, size=1)
    assert GroupSpec(name="g", children=(pool, inner)).children == (pool, inner)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "root"}, "name: 'root' is taken: root, supervisor, system are groups of the tree itself"),
        ({"name": "a.b"}, "name: 'a.b' is no name"),
        ({"strategy": "all"}, "strategy: 'all' is not one of one_for_one, one_for_all, rest_for_one"),
        ({"intensity": -1}, "intensity: Input should be greater than or equal to 0"),
        ({"intensity": True}, "intensity: True is no number"),
        ({"period_s": 0}, "period_s: Input should be greater than 0"),
        ({"auto_shutdown": "x"}, "auto_shutdown: 'x' is not one of never, any_significant, all_significant"),
        ({"restart": None}, "restart: None is not one of permanent, transient, temporary"),
        ({"node": "n"}, "node: 'n' given, but only a group with supervisor: true runs somewhere itself"),
        ({"backoff": {"min_s": 9}}, "backoff.max_s: 5 given, but it must not be smaller than min_s, which is 9"),
        ({"backoff": {"min": 9}}, "backoff.min: unknown key; known keys here: jitter, max_s, min_s, reset_after_s"),
        ({"backoff": {"jitter": 2}}, "backoff.jitter: Input should be less than or equal to 1"),
        ({"children": 3}, "children: Input should be a valid tuple (given: 3)"),
        ({"children": ["x"]}, "children[0]: is no child (cls), no pool (cls, size) and no group (children)"),
        ({"children": [{"name": "b", "strategy": 1}]}, "children[0].strategy: 1 is not one of"),
        ({"children": [child("b", size=-1)]}, "children[0].size: Input should be greater than or equal to 0"),
        ({"children": [child("b", strategy="x")]}, "children[0].strategy: unknown key; known keys here: args"),
        ({"pools": [child("b")]}, "pools[0].size: is missing, and must be given"),
        ({"groups": [child("b")]}, "groups[0].cls: unknown key; known keys here: auto_shutdown"),
        ({"significant": True}, "significant: unknown key; known keys here: auto_shutdown"),
    ],
)
def test_what_is_wrong_is_named_with_its_path(fields: dict[str, Any], said: str) -> None:
    (problem,) = problems(GroupSpec, {"name": "g", **fields})
    assert problem.startswith(said)


def test_problems_in_members_and_between_them_are_told_together() -> None:
    found = problems(
        TreeSpec,
        {
            "children": [child("a", restart="sometimes")],
            "groups": [{"name": "a", "children": [child("b"), child("b"), child("c", standbys=-1)]}],
        },
    )
    assert [problem.partition(":")[0] for problem in found] == [
        "children[0].restart",
        "groups[0].children[2].standbys",
        "groups[0].name",
        "groups[0].children[1].name",
    ]


def test_data_that_contains_itself_is_refused() -> None:
    endless: dict[str, Any] = {"name": "g"}
    endless["groups"] = [endless]
    assert any("groups[0]" in problem for problem in problems(TreeSpec, {"groups": [endless]}))


def test_a_supervisor_of_its_own_may_have_a_place() -> None:
    assert GroupSpec(name="g", supervisor=True, node="n").node == "n"
    found = problems(GroupSpec, {"name": "g", "supervisor": "perhaps", "node": "n"})
    assert [problem.partition(":")[0] for problem in found] == ["supervisor"]


def test_the_settings_of_a_group_leave_its_members_out() -> None:
    assert set(settings_of(GroupSpec(name="g"))) == {*GroupSpec.model_fields} - {"children", "pools", "groups"}
