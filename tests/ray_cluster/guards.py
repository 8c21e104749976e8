"""What befalls breakers that processes of several nodes share: scenes for `apart`."""

from __future__ import annotations

import os
import signal
from itertools import count
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from actors.breaker.handle import BreakerHandle
from actors.breaker.settings import BreakerSettings
from supervisor import Supervisor
from tests.ray_cluster.households import household, view
from tests.ray_cluster.nodes import Nodes, eventually, killed
from tests.ray_local.breaker_crew import Caller

SETTINGS = BreakerSettings(minimum_calls=6, window_calls=20, open_s=2.0, open_jitter=0.0, half_open_permits=1)
"""No process opens itself by the three failures of its own."""


def breakers_of_three_nodes(nodes: Nodes, log: str) -> dict[str, Any]:
    """One process per node: what they tell is added up, people's hands reach all, and a lost node takes nothing."""
    with household(log) as sup:
        crew = {each.node_id: _caller(sup, each.node_id) for each in nodes.others}
        crew["head"] = _caller(sup, ray.get_runtime_context().get_node_id())
        breaker, node = _owned_off_head(sup, nodes)
        eventually(lambda: all(ray.get([each.hears.remote([breaker]) for each in crew.values()])))
        told: dict[str, Any] = {"nodes": len(set(ray.get([each.node.remote() for each in crew.values()])))}
        breaker.force_open(reason="drill", who="ann")
        told["forced"] = _all_become(crew, breaker, "forced_open")
        breaker.enable(reason="over")
        told["enabled"] = _all_become(crew, breaker, "closed")
        ended = [ray.get(each.fail.remote([breaker], 3)) for each in crew.values()]
        told["failed"] = sum(each.count("failed") for each in ended)
        told["opened"] = _all_become(crew, breaker, "open")
        told["why"] = breaker.explain().why
        with killed(nodes, node):
            left = {where: each for where, each in crew.items() if where != node.node_id}
            told["refused"] = [ray.get(each.succeed.remote([breaker])) for each in left.values()]
            eventually(lambda: ray.get(left["head"].succeed.remote([breaker])) == ["succeeded"])
            told["closed"] = _all_become(left, breaker, "closed")
            told["moved"] = _node_of(sup, breaker) not in (None, node.node_id)
        return told


def owner_of_another_node_is_killed(nodes: Nodes, log: str) -> dict[str, Any]:
    """Its successor knows of the override, and says so on every node."""
    with household(log) as sup:
        crew = {each.node_id: _caller(sup, each.node_id) for each in nodes.others}
        breaker, _ = _owned_off_head(sup, nodes)
        eventually(lambda: all(ray.get([each.hears.remote([breaker]) for each in crew.values()])))
        breaker.force_open(reason="until Monday", who="ann")
        _all_become(crew, breaker, "forced_open")
        before = sup.breakers()[breaker.name]
        assert before.owner is not None
        os.kill(view(sup, before.owner.partition("/")[2].partition("#")[0]).location.process.pid, signal.SIGKILL)
        eventually(lambda: sup.breakers()[breaker.name].owner not in (None, before.owner))
        eventually(lambda: all(ray.get([each.hears.remote([breaker]) for each in crew.values()])))
        return {"states": _all_become(crew, breaker, "forced_open"), "why": breaker.explain().why}


def nodes_agree(nodes: Nodes, log: str) -> dict[str, Any]:
    """Two processes of one node have one vote; a process of a second node makes the quorum."""
    with household(log) as sup:
        first, second = (each.node_id for each in nodes.others[:2])
        crew = {f"{number}": _caller(sup, node) for number, node in enumerate((first, first, second))}
        settings = BreakerSettings(consecutive_failures=2, quorum=2, quorum_of="nodes", open_s=30.0)
        breaker = sup.breaker("bank-of-nodes", settings)
        eventually(lambda: all(ray.get([each.hears.remote([breaker]) for each in crew.values()])))
        for each in ("0", "1"):
            ray.get(crew[each].fail.remote([breaker], 2))
        eventually(lambda: _voters(sup, breaker) == 2)
        votes = breaker.metrics().votes
        told: dict[str, Any] = {"alone": breaker.state, "votes": votes and [votes.agreed, votes.needed, votes.of]}
        ray.get(crew["2"].fail.remote([breaker], 2))
        told["opened"] = _all_become(crew, breaker, "open")
        told["why"] = breaker.explain().why
        return told


class NodeCaller(Caller):
    """One that knows where it is, and whose supervisor it uses."""

    def __init__(self, supervisor: str) -> None:
        super().__init__()
        self.supervisor = Supervisor.of_process(supervisor)

    def node(self) -> str:
        return str(ray.get_runtime_context().get_node_id())


def _caller(sup: Supervisor, node_id: str) -> Any:
    remote: Any = ray.remote
    where = NodeAffinitySchedulingStrategy(node_id, soft=False)
    return remote(num_cpus=0, max_concurrency=4)(NodeCaller).options(scheduling_strategy=where).remote(sup.name)


def _owned_off_head(sup: Supervisor, nodes: Nodes) -> tuple[BreakerHandle, Any]:
    """A breaker whose owner is not on the head, and that node."""
    others = {each.node_id: each for each in nodes.others}
    for number in count():
        breaker = sup.breaker(f"bank-{number}", SETTINGS)
        eventually(lambda breaker=breaker: breaker.owner_heard)
        node = _node_of(sup, breaker)
        if node in others:
            return breaker, others[node]
        assert number < 6, "the owners are always on the head"
    raise AssertionError("unreachable")


def _voters(sup: Supervisor, breaker: BreakerHandle) -> int:
    found = sup.breakers()[breaker.name].view
    return 0 if found is None else len(found.voters)


def _node_of(sup: Supervisor, breaker: BreakerHandle) -> str | None:
    owner = sup.breakers()[breaker.name].owner
    found = [child.location for child in sup.status().tree if child.name == owner]
    return found[0].node_id if found and found[0] is not None else None


def _all_become(crew: dict[str, Any], breaker: BreakerHandle, state: str) -> list[str]:
    def states() -> list[str]:
        return sorted(set(ray.get([each.state.remote([breaker]) for each in crew.values()])))

    eventually(lambda: states() == [state])
    return states()
