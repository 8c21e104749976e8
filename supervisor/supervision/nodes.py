"""Every living node has an agent, and what is on a node that is about to go moves away. Pure."""

from __future__ import annotations

from supervisor import messages as m
from supervisor.supervision.groups import Groups
from supervisor.supervision.lives import Lives
from supervisor.supervision.state import State
from supervisor.tree import SYSTEM, ChildPlan

_NODE_KEY_DIGITS = 12


def agent_key(node_id: str) -> str:
    """The key of a node's agent."""
    return f"node_agent/{node_id[:_NODE_KEY_DIGITS]}"


class Nodes:
    """Follows the cluster's nodes."""

    def __init__(self, state: State, groups: Groups, lives: Lives) -> None:
        self._s = state
        self._groups = groups
        self._lives = lives

    def learn(self, nodes: tuple[str, ...], draining: tuple[str, ...] = ()) -> list[str]:
        """Note the living nodes; returns the agents that have to be started."""
        self._s.nodes = nodes
        self._s.draining = frozenset(draining)
        missing: list[str] = []
        if SYSTEM not in self._s.groups:  # a subtree's supervisor: the agents are the leader's
            return missing
        for node in nodes:
            key = agent_key(node)
            child = self._s.children.get(key)
            if child is None:
                self._s.add_child(ChildPlan(key=key, group=SYSTEM, node_id=node))
                missing.append(key)
            elif child.status == "stopped":
                missing.append(key)
        for key in self._agents_of_lost_nodes():
            child = self._s.children[key]
            if not child.lives:
                child.status = "stopped"
        return missing

    def on_seen(self, event: m.NodesSeen) -> None:
        """Start agents where they are missing, end those of lost nodes, move away from nodes that are about to go."""
        if self._s.stopping:
            return
        changed = self._s.draining ^ set(event.draining)
        for key in self.learn(event.nodes, event.draining):
            if self._s.groups[SYSTEM].status in ("starting", "running"):
                self._groups.start(key)
        for key in self._agents_of_lost_nodes():
            child = self._s.children[key]
            for life in list(child.lives.values()):
                self._lives.end(child, life, "node_lost", "its node left the cluster", fence=True)
        if changed:
            self._s.publish()  # healers go by it, also where nobody has to move
            for child in self._s.children_on(sorted(changed)):
                self._lives.moving.leave(child, changed)

    def _agents_of_lost_nodes(self) -> list[str]:
        present = {agent_key(node) for node in self._s.nodes}
        system = self._s.groups.get(SYSTEM)
        members = () if system is None else system.members
        return [key for key in members if key.startswith("node_agent/") and key not in present]
