"""What a hand is told travels, and is told apart by run and fault."""

from __future__ import annotations

import pickle

from actors.runtime.process import ProcessIdentity
from experiments.hands.orders import HandOrder, NodeFacts, Spot


def test_an_order_is_known_by_its_run_and_fault_and_travels_whole() -> None:
    spot = Spot(name="child/cart", kind="child", node_id="n", actor="s/child/cart#1", process=ProcessIdentity(3, 4))
    order = HandOrder(run="r", fault_id="0.1.child/cart", fault="hang", how={}, spot=spot, lease_s=5.0)
    assert order.key == ("r", "0.1.child/cart")
    assert pickle.loads(pickle.dumps(order)) == order


def test_a_nodes_facts_travel() -> None:
    facts = NodeFacts(node_id="n", host="h", halted="ann: enough", runners=((1, 2),))
    assert pickle.loads(pickle.dumps(facts)) == facts
