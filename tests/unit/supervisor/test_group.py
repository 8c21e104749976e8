"""A group's counts, from what is announced of its members."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from actors.runtime.errors import ConfigError
from supervisor.group import Counts, Group
from supervisor.messages import ClusterView
from tests.unit.supervisor.test_subtree_views import child_view, group_view


def test_groups_with_a_supervisor_of_their_own_count_as_supervisors() -> None:
    children = (child_view("child/a", "root"), child_view("supervisor/far", "root", status="stopped"))
    view = ClusterView(leader="", incarnation=1, children=children, groups={"shop": group_view("shop")})
    members = SimpleNamespace(members=("child/a", "supervisor/far", "shop"))
    client: Any = SimpleNamespace(present_view=lambda: view, group_view=lambda _path, _view: members)
    assert Group(client, "root").count() == Counts(specs=3, active=2, supervisors=2, workers=1)


def test_numbers_that_cannot_be_had_are_refused_at_once() -> None:
    client: Any = SimpleNamespace()
    with pytest.raises(ConfigError) as caught:
        Group(client, "root").resize("p", size=-1, standbys=1.5)  # pyright: ignore[reportArgumentType] - on purpose
    assert caught.value.problems == (
        "size: -1 given; give a whole number from 0 to 10000",
        "standbys: 1.5 given; give a whole number from 0 to 100",
    )
