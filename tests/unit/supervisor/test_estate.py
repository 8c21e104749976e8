"""What a leader leaves: whom it tells of, and what children complete."""

from __future__ import annotations

from typing import Any

from supervisor.estate import Estate, Keepsake
from supervisor.supervision.ledger import Ledger, child_entry, group_entry
from supervisor.tree import ROOT, ChildPlan, GroupPlan

CHARTER: Any = "the charter"
CART = ChildPlan(key="child/shop.cart", group="shop", recipe="how")
SHOP = GroupPlan(path="shop", recipe="how")
FAR = ChildPlan(key="child/far.ward", group="far", recipe="how")
LOG = ChildPlan(key="event_log/writer", group="system")


def estate() -> Estate:
    tree = Ledger(children=(child_entry(CART), child_entry(LOG)), groups=(group_entry(SHOP),))
    return Estate(charter=CHARTER, tree=tree, subtrees={"far": Ledger(children=(child_entry(FAR),))})


def test_the_plans_that_users_made_are_told_those_of_subtrees_too() -> None:
    assert estate().plans(None) == {"shop": SHOP, CART.key: CART, FAR.key: FAR}
    assert estate().plans((CART.key, "child/nobody")) == {CART.key: CART}
    assert Estate(charter=CHARTER).plans(None) == {}


def test_children_that_nobody_told_of_are_found_missing() -> None:
    assert estate().missing([CART.key, FAR.key, "child/late"]) == ["child/late"]


def test_children_tell_of_themselves_and_of_their_groups() -> None:
    late = ChildPlan(key="child/shop.eu.late", group="shop.eu", recipe="how")
    inner = GroupPlan(path="shop.eu", parent="shop")
    told = estate().completed([Keepsake(plan=late, groups=(GroupPlan(path=ROOT), GroupPlan(path="shop"), inner))])
    assert told.tree is not None
    assert [entry.plan.key for entry in told.tree.children] == [CART.key, LOG.key, late.key]
    assert [entry.plan.path for entry in told.tree.groups] == ["shop", ROOT, "shop.eu"]
    assert told.tree.groups[0].plan is SHOP, "what the predecessor said stands"


def test_a_leader_without_any_memory_has_what_children_tell() -> None:
    told = Estate(charter=CHARTER).completed([Keepsake(plan=CART, groups=(SHOP,))])
    assert told.plans(None) == {"shop": SHOP, CART.key: CART}


def test_a_child_that_only_its_subtree_knows_of_is_not_missing() -> None:
    """Its own supervisor tells of it; taken into the leader's tree it would have two."""
    far = ChildPlan(key="supervisor/far", group="root", recipe="how")
    known = Estate(charter=CHARTER, tree=Ledger(children=(child_entry(far),)))
    assert known.missing(["child/far.late", "child/farther"]) == ["child/farther"]
