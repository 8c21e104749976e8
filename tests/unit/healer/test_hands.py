"""The coordinator hears of its healers' nodes: whether they are well, kept off, and how busy they are."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from actors.healer import hands
from actors.healer import messages as m
from actors.healer.hands import Hands


def child(number: int) -> Any:
    where = SimpleNamespace(node_id=f"n{number}")
    return SimpleNamespace(key=f"healer/{number}", name=f"s/healer/{number}#1", status="running", location=where)


def view(*numbers: int, draining: tuple[str, ...] = ()) -> Any:
    return SimpleNamespace(children=tuple(map(child, numbers)), draining=draining, agents={})


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[m.Event]:
    monkeypatch.setattr(hands, "labels_of_nodes", lambda: {"n1": {"zone": "eu"}})
    return []


def latest(told: list[m.Event]) -> list[tuple[str, bool, float]]:
    event = told[-1]
    assert isinstance(event, m.HealersChanged)
    return [(each.node, each.healthy, each.load) for each in event.healers]


def test_each_change_of_a_healers_node_is_told_once(told: list[m.Event]) -> None:
    made = Hands(1, SimpleNamespace(), 2, told.append)  # pyright: ignore[reportArgumentType] - no service is started
    made.see_sick(("n2",))
    assert told == []
    made.see(view(1, 2))
    assert latest(told) == [("n1", True, 0.0), ("n2", False, 0.0)]
    made.see(view(1, 2))
    made.see_sick(("n2",))
    assert len(told) == 1
    made.see_sick(())
    made.see_load("n1", 0.7)
    assert latest(told) == [("n1", True, 0.7), ("n2", True, 0.0)]
    made.see(view(1, 2, draining=("n1",)))
    assert latest(told) == [("n1", False, 0.7), ("n2", True, 0.0)]
    assert len(told) == 4


def test_the_labels_of_a_node_are_told_with_it(told: list[m.Event]) -> None:
    Hands(1, SimpleNamespace(), 2, told.append).see(view(1))  # pyright: ignore[reportArgumentType] - as above
    (event,) = told
    assert isinstance(event, m.HealersChanged)
    assert event.healers[0].labels == {"zone": "eu"}
