"""What the supervisor above keeps of groups that are supervisor actors of their own."""

from __future__ import annotations

from supervisor.subtrees import Subtrees
from supervisor.supervision.ledger import Ledger


def test_what_is_not_in_the_tree_any_more_is_forgotten_with_what_is_below_it() -> None:
    """Another group may get the path: it must not begin with the old one's members."""
    subtrees = Subtrees()
    subtrees.keep_only(lambda _: False)
    subtrees.inherit(dict.fromkeys(("shop", "shop.eu", "stock.eu", "shopping"), Ledger()))
    subtrees.keep_only({"shop", "stock"}.__contains__)
    assert set(subtrees.ledgers()) == {"shop", "shop.eu", "stock.eu"}
    subtrees.keep_only({"stock"}.__contains__)
    assert set(subtrees.ledgers()) == {"stock.eu"}
