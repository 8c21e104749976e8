"""Requests travel to the leader, and to the next one, as they are."""

from __future__ import annotations

import pickle

import pytest

from supervisor import requests as r
from supervisor.tree import ChildPlan, GroupPlan

WISHES = [
    r.AddMembers(groups=(GroupPlan(path="shop"),), children=(ChildPlan(key="child/shop.cart", group="shop"),)),
    r.Terminate(member="child/cart"),
    r.RestartMember(member="shop"),
    r.Delete(member="child/cart"),
    r.Resize(member="shop.crew", size=3),
    r.Change(children=(ChildPlan(key="child/cart"),), order=("child/cart", "shop")),
]


@pytest.mark.parametrize("wish", WISHES, ids=lambda wish: type(wish).__name__)
def test_a_request_is_the_same_after_its_journey(wish: r.Request) -> None:
    assert pickle.loads(pickle.dumps(wish)) == wish


def test_a_size_that_is_not_named_stays() -> None:
    assert r.Resize(member="crew", standbys=2).size is None
