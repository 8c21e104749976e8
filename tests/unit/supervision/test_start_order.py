"""Members start in the order that was written, whatever they are; a change of it moves only those that it names."""

from __future__ import annotations

from random import Random

import pytest

from supervisor.supervision.state import State
from supervisor.tree import ROOT, TOP, ChildPlan, GroupPlan


@pytest.fixture
def state() -> State:
    made = State("s", 1, Random(0))
    made.add_group(GroupPlan(path=TOP, parent=None))
    made.add_group(GroupPlan(path=ROOT, parent=TOP))
    made.add_group(GroupPlan(path="g", parent=ROOT))
    for name in "abc":
        made.add_child(ChildPlan(key=f"child/{name}"))
    made.add_child(ChildPlan(key="child/g.x", group="g"))
    made.add_child(ChildPlan(key="child/g.y", group="g"))
    return made


def members(state: State, path: str = ROOT) -> list[str]:
    return list(state.groups[path].members)


def test_groups_and_children_may_be_mixed(state: State) -> None:
    assert members(state) == ["g", "child/a", "child/b", "child/c"]
    state.arrange(["child/a", "g", "child/g.y", "child/g.x", "child/b", "child/c"])
    assert members(state) == ["child/a", "g", "child/b", "child/c"]
    assert members(state, "g") == ["child/g.y", "child/g.x"]


def test_what_is_not_named_keeps_its_place(state: State) -> None:
    state.arrange(["child/c", "g"])
    assert members(state) == ["child/c", "child/a", "child/b", "g"]


def test_what_is_not_there_is_nobodys_business(state: State) -> None:
    state.arrange(["child/nobody", "supervisor/other", "h"])
    assert members(state) == ["g", "child/a", "child/b", "child/c"]
