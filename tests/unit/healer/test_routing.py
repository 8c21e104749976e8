"""A step runs on a healthy node other than the failing one, where least is done."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from actors.healer.routing import Healer, healers_of, pick_healer

HEALERS = (
    Healer(name="a", node="n1", load=0.1),
    Healer(name="b", node="n2", load=0.5, labels={"zone": "eu"}),
    Healer(name="c", node="n2", load=0.5, labels={"zone": "eu"}),
    Healer(name="d", node="n3", load=0.0, healthy=False, labels={"disk": "fast"}),
)


@pytest.mark.parametrize(
    ("wishes", "name"),
    [
        ({}, "a"),
        ({"failing_node": "n1"}, "b"),
        ({"running": {"a": 2, "b": 1, "c": 0}}, "c"),
        ({"labels": {"zone": "eu"}}, "b"),
        ({"labels": {"zone": "us"}}, None),
        ({"labels": {"disk": "fast"}}, "d"),
        ({"failing_node": "n2"}, "a"),
        ({"failing_node": "n2", "labels": {"zone": "eu"}}, "b"),
    ],
)
def test_by_node_labels_and_load(wishes: dict[str, Any], name: str | None) -> None:
    given: dict[str, Any] = {"running": {}}
    found = pick_healer(HEALERS, **(given | wishes))
    assert (None if found is None else found.name) == name


def child(key: str, node: str | None, status: str = "running") -> Any:
    where = None if node is None else SimpleNamespace(node_id=node)
    return SimpleNamespace(key=key, name=f"s/{key}#1", status=status, location=where)


def test_a_healer_is_as_healthy_as_its_node() -> None:
    """Not so where a probe is failing, by the node's id or the beginning of it, and not on one that is going."""
    children = [child(f"healer/{number}", f"node{number}") for number in range(1, 5)]
    others = [child("healer/main", "node1"), child("child/cart", "node1"), child("healer/9", "node1", "starting")]
    view = SimpleNamespace(children=(*children, *others, child("healer/8", None)), draining=("node3",))
    found = healers_of(view, sick=("node2", "no such"), labels={"node4": {"zone": "eu"}}, loads={"node1": 0.4})
    assert [(each.node, each.healthy, each.load) for each in found] == [
        ("node1", True, 0.4),
        ("node2", False, 0.0),
        ("node3", False, 0.0),
        ("node4", True, 0.0),
    ]
    assert found[3].labels == {"zone": "eu"}
    assert [each.healthy for each in healers_of(view, sick=("node",), labels={}, loads={})] == [False] * 4
