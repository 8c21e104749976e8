"""Creates the Ray actors of a supervisor, each concern in its own way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import RayError

from actors.checkpoint.rules import era_of_session
from actors.child.actor import hosting_of
from actors.event_log.actor import APPEND_THREADS, event_log_actor
from actors.node_agent.actor import node_agent_actor
from actors.runtime.ids import NAMESPACE, ActorName
from actors.worker.actor import worker_actor
from supervisor import room
from supervisor.child_ports import ClusterPorts
from supervisor.election import living_nodes
from supervisor.link import follow
from supervisor.services.kinds import Kind, kind_of
from supervisor.services.ports import LeaderPorts
from supervisor.tree import is_within

if TYPE_CHECKING:
    from actors.runtime.ports import CheckpointStore
    from supervisor.charter import Charter
    from supervisor.recipes import ChildRecipe, SubtreeRecipe
    from supervisor.supervision.ledger import Ledger

_WORKER_THREADS = 32


def cluster_era() -> int:
    """The number of this life of the cluster: incarnations begin anew with each, checkpoints outlive it."""
    return era_of_session(str(ray.get_runtime_context().get_session_name()))


class Creator:
    """One leader's workshop.

    Args:
        charter: What the supervisor is made of.
        leader: Whose it is.
        ledgers: What the subtrees have left to their next lives, by path.
        log_writer: The log writer's handle, or None while it is not known.
    """

    def __init__(
        self,
        charter: Charter,
        leader: ActorName,
        ledgers: Callable[[], Mapping[str, Ledger]],
        log_writer: Callable[[], Any | None],
    ) -> None:
        self._charter = charter
        self._leader = leader.incarnation
        self._ledgers = ledgers
        self._find_log_writer = log_writer

    def create(self, name: ActorName, *, node_id: str | None = None, recipe: ChildRecipe | None = None) -> Any:
        """Create an actor under its name; returns its handle at once.

        Args:
            name: Its name.
            node_id: Where it is to be, and nowhere else if there is room: another node may be kept off. None: anywhere.
            recipe: What a child's is made of.
        Raises:
            ValueError: The name is taken, or the node has left the cluster.
            RayError: The cluster does not take it.
        """
        options: dict[str, Any] = {
            "name": str(name),
            "namespace": NAMESPACE,
            "lifetime": "detached",
            "max_restarts": 0,
            "num_cpus": 0,
        }
        match name.concern:
            case "worker":
                return self._worker(name, options, node_id)
            case "event_log":
                return self._log_writer(name, options)
            case "node_agent":
                return self._agent(name, options)
            case _ if (kind := kind_of(name.key)) is not None:
                return self._service(name, options, kind, node_id)
            case _:
                assert recipe is not None
                return self._child(name, options, node_id, recipe)

    def ledger_of(self, path: str) -> Ledger | None:
        """What a subtree has left to its next life."""
        return self._ledgers().get(path)

    def checkpoints(self) -> CheckpointStore:
        """Where children's states are kept that have no folder of their own."""
        return ClusterPorts(self._charter.name, era=cluster_era()).checkpoints(None)

    def _worker(self, name: ActorName, options: dict[str, Any], node_id: str | None) -> Any:
        pool = self._charter.config.pools[name.child.rpartition("-")[0]]
        asked = {"num_cpus": pool.num_cpus}
        where = "SPREAD" if node_id is None else on_node(node_id, soft=not has_room(node_id, asked))
        options |= {"num_cpus": pool.num_cpus, "max_concurrency": _WORKER_THREADS, "scheduling_strategy": where}
        return worker_actor().options(**options).remote(str(name), self._leader)

    def _log_writer(self, name: ActorName, options: dict[str, Any]) -> Any:
        charter = self._charter
        options |= {"max_concurrency": APPEND_THREADS, "scheduling_strategy": on_node(charter.log_node_id)}
        writer = event_log_actor().options(**options)
        log = charter.config.log
        return writer.remote(
            str(name), self._leader, path=log.path, otlp_endpoint=charter.otlp_endpoint, keep_days=log.keep_days
        )

    def _agent(self, name: ActorName, options: dict[str, Any]) -> Any:
        options |= {"scheduling_strategy": on_node(node_of(name.child))}
        return (
            node_agent_actor()
            .options(**options)
            .remote(str(name), self._leader, partial(follow, self._charter, self._leader))
        )

    def _service(self, name: ActorName, options: dict[str, Any], kind: Kind, node_id: str | None) -> Any:
        options |= {"max_concurrency": 1, "scheduling_strategy": "SPREAD" if node_id is None else on_node(node_id)}
        settings = kind.settings(self._charter.config)
        ports = LeaderPorts(self._charter, self._leader, era=cluster_era(), settings=settings)
        return kind.actor_class().options(**options).remote(str(name), self._leader, ports)

    def subtree(self, name: ActorName, recipe: SubtreeRecipe, node_id: str | None) -> Any:
        """Create the supervisor actor of a subtree, with what its earlier life left."""
        from supervisor.subtree_actor import subtree_actor  # noqa: PLC0415 - that actor creates, too

        where = "SPREAD" if node_id is None else on_node(node_id)
        path = name.child
        ledgers = {inner: ledger for inner, ledger in self._ledgers().items() if is_within(inner, path, strictly=False)}
        actor = subtree_actor().options(
            name=str(name),
            namespace=NAMESPACE,
            lifetime="detached",
            max_restarts=0,
            num_cpus=0,
            max_concurrency=4,
            scheduling_strategy=where,
        )
        return actor.remote(str(name), self._leader, self._charter, recipe, ledgers, era=cluster_era())

    def _child(self, name: ActorName, options: dict[str, Any], node_id: str | None, recipe: ChildRecipe) -> Any:
        options |= recipe.resources
        if node_id is not None:
            firmly = recipe.node is not None or has_room(node_id, recipe.resources)
            options["scheduling_strategy"] = on_node(node_id, soft=not firmly)
        actor, options["max_concurrency"] = hosting_of(recipe.recipe, shared=recipe.share is not None)
        ports = ClusterPorts(
            self._charter.name, era=cluster_era(), writer=self._find_log_writer(), log=self._charter.config.log.path
        )
        return actor.options(**options).remote(str(name), self._leader, ports)


def node_of(prefix: str) -> str:
    """The living node whose id begins so.

    Raises:
        ValueError: There is none.
    """
    for node in living_nodes():
        if node.startswith(prefix):
            return node
    raise ValueError(f"node {prefix} has left the cluster")


def nodes_now() -> tuple[room.Node, ...]:
    """The living nodes, by what users call them and what they have."""
    return tuple(
        room.Node(
            node_id=str(node["NodeID"]),
            names=tuple(
                str(node[name]) for name in ("NodeManagerAddress", "NodeName", "NodeManagerHostname") if node.get(name)
            ),
            total=dict(node["Resources"]),
        )
        for node in ray.nodes()
        if node["Alive"]
    )


def node_named(text: str) -> str:
    """The id of the living node that a user named by its id, the beginning of that, its address or its name.

    Raises:
        ValueError: There is none; the message names those that there are.
    """
    living = nodes_now()
    found = room.node_named(text, living)
    if found is None:
        raise ValueError(room.unknown_node(text, living))
    return found.node_id


def has_room(node_id: str, asked: Mapping[str, Any]) -> bool:
    """Whether a node has what is asked for, as far as Ray says so."""
    wanted = room.wanted(asked)
    if not wanted:
        return True
    free = _free_now()
    return free is not None and not room.shortage(wanted, [free.get(node_id, {})])


def lacking(asked: Mapping[str, Any], node: str | None) -> str:
    """What an actor that has no place yet waits for, for people; empty where Ray does not say.

    Args:
        asked: Its options.
        node: The only node that it may run on, as its spec names it, or None.
    """
    wanted, free = room.wanted(asked), _free_now()
    if free is None or not wanted:
        return ""
    named = None if node is None else room.node_named(node, nodes_now())
    where = free.values() if node is None else [free.get(named.node_id, {})] if named is not None else []
    return room.shortage(wanted, where)


def _free_now() -> dict[str, dict[str, float]] | None:
    """What is free, by node and resource."""
    try:
        from ray._private import state  # noqa: PLC0415 - private: there is no public way to ask for one node's

        return state.available_resources_per_node()
    except (ImportError, AttributeError, RayError, RuntimeError):
        return None


def refuse_unsatisfiable(asked: Mapping[str, Any], node_id: str | None) -> None:
    """Refuse what no node could ever give, or not the one named: Ray would wait for it without a word.

    Raises:
        ValueError: The message says what was asked for, and what the nodes have.
    """
    want = room.Want(path="", asked=room.wanted(asked), node=node_id)
    problem = room.why_not(want, nodes_now()) if want.asked else ""
    if problem:
        raise ValueError(problem)


def on_node(node_id: str, *, soft: bool = False) -> Any:
    """Ray's scheduling strategy for one node; softly: where that has no room, elsewhere.

    Softly is no more than a hint: on three idle nodes of Ray 2.60, 16 of 24 actors without resources went elsewhere.
    """
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy  # noqa: PLC0415 - costs 30 ms to import

    return NodeAffinitySchedulingStrategy(node_id=node_id, soft=soft)
