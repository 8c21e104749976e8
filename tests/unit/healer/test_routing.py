"""A step runs on a healthy node other than the failing one, where least is done."""

from __future__ import annotations

from typing import Any

import pytest

from actors.healer.routing import Healer, pick_healer

HEALERS = (
    Healer(name="a", node="n1", load=0.1),
    Healer(name="b", node="n2", load=0.5, labels={"zone": "eu"}),
    Healer(name="c", node="n2", load=0.5, labels={"zone": "eu"}),
    Healer(name="d", node="n3", load=0.0, healthy=False),
)


@pytest.mark.parametrize(
    ("wishes", "name"),
    [
        ({}, "a"),
        ({"failing_node": "n1"}, "b"),
        ({"running": {"a": 2, "b": 1, "c": 0}}, "c"),
        ({"labels": {"zone": "eu"}}, "b"),
        ({"labels": {"zone": "us"}}, None),
        ({"failing_node": "n2"}, "a"),
        ({"failing_node": "n2", "labels": {"zone": "eu"}}, "b"),
    ],
)
def test_by_node_labels_and_load(wishes: dict[str, Any], name: str | None) -> None:
    given: dict[str, Any] = {"running": {}}
    found = pick_healer(HEALERS, **(given | wishes))
    assert (None if found is None else found.name) == name
