"""A group's counts, from what is announced of its members."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from supervisor.group import Counts, Group
from supervisor.messages import ClusterView
from tests.unit.supervisor.test_subtree_views import child_view, group_view


def test_groups_with_a_supervisor_of_their_own_count_as_supervisors() -> None:
    children = (child_view("child/a", "root"), child_view("supervisor/far", "root", status="stopped"))
    view = ClusterView(leader="", incarnation=1, children=children, groups={"shop": group_view("shop")})
    members = SimpleNamespace(members=("child/a", "supervisor/far", "shop"))
    client: Any = SimpleNamespace(present_view=lambda: view, group_view=lambda _path, _view: members)
    assert Group(client, "root").count() == Counts(specs=3, active=2, supervisors=2, workers=1)
