"""What the supervisor above keeps of groups that are supervisor actors of their own."""

from __future__ import annotations

from typing import Any, cast

from supervisor.messages import ChildView, ClusterView, GroupView
from supervisor.subtrees import Subtrees
from supervisor.supervision.ledger import Ledger


class Stirred:
    """What is told that the view has changed."""

    def __init__(self) -> None:
        self.times = 0

    def stir(self) -> None:
        self.times += 1


def test_what_an_ended_subtree_announced_last_has_ended_with_it() -> None:
    subtrees, engine = Subtrees(), Stirred()
    subtrees.engine = cast("Any", engine)
    subtrees.ended("shop")
    group = GroupView(
        path="shop",
        parent="supervisor",
        strategy="one_for_one",
        status="running",
        members=("child/shop.a",),
        restarts=0,
        intensity=1,
        period_s=5.0,
        failure=None,
    )
    seen: dict[str, Any] = {"role": "service", "restarts": 0, "location": None, "last_error": ""}
    child = ChildView(key="child/shop.a", name="s/child/shop.a#1", status="running", group="shop", **seen)
    above = ChildView(key="supervisor/shop", name="s/supervisor/shop#1", status="stopped", group="root", **seen)
    subtrees._views["shop"] = ClusterView(leader="", incarnation=1, children=(child,), groups={"shop": group})
    subtrees.ended("shop")
    whole = subtrees.complete(ClusterView(leader="s/supervisor/root#1", incarnation=1, children=(above,)))
    assert [(each.key, each.status) for each in whole.children] == [
        ("supervisor/shop", "stopped"),
        ("child/shop.a", "stopped"),
    ]
    assert (whole.groups["shop"].status, whole.groups["shop"].parent) == ("stopped", "root")
    assert engine.times == 2


def test_what_is_not_in_the_tree_any_more_is_forgotten_with_what_is_below_it() -> None:
    """Another group may get the path: it must not begin with the old one's members."""
    subtrees = Subtrees()
    subtrees.keep_only(lambda _: False)
    subtrees.inherit(dict.fromkeys(("shop", "shop.eu", "stock.eu", "shopping"), Ledger()))
    subtrees.keep_only({"shop", "stock"}.__contains__)
    assert set(subtrees.ledgers()) == {"shop", "shop.eu", "stock.eu"}
    subtrees.keep_only({"stock"}.__contains__)
    assert set(subtrees.ledgers()) == {"stock.eu"}
