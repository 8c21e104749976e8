"""A small cluster, and experiments on it."""

from __future__ import annotations

from typing import Any

from experiments.model.experiment import Experiment
from experiments.planning.inventory import Inventory, Target

WORKERS = tuple(
    Target(name=f"worker/w{n}", kind="worker", node=f"n{n % 2}", group="default", incarnation=1) for n in range(6)
)
OTHERS = (
    Target(name="child/cart", kind="child", node="n0", labels={"app": "shop"}),
    Target(name="child/stock", kind="child", node="n1", labels={"app": "shop"}, running=False),
    Target(name="supervisor/root", kind="supervisor", node="n0"),
    Target(name="node/n0", kind="node", node="n0"),
    Target(name="node/n1", kind="node", node="n1"),
)


def inventory(**changed: Any) -> Inventory:
    whole: dict[str, Any] = {"targets": (*WORKERS, *OTHERS), "embedded": True, "nodes": 2, **changed}
    return Inventory(**whole)


def experiment(*faults: dict[str, Any], **chaos: Any) -> Experiment:
    """Each fault with what it takes; a crash by default."""
    method = [
        {
            "type": "action",
            "name": f"f{number}",
            "provider": {
                "type": "python",
                "module": "experiments.driver",
                "func": "inject",
                "arguments": {"fault": "crash", **fault},
            },
        }
        for number, fault in enumerate(faults)
    ]
    return Experiment.parse({"title": "t", "description": "d", "method": method, "chaos": chaos}, source="scene")
