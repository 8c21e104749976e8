"""Creates the Ray actors of a supervisor, each concern in its own way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import ray

from actors.checkpoint.rules import era_of_session
from actors.child.actor import hosting_of
from actors.event_log.actor import APPEND_THREADS, event_log_actor
from actors.node_agent.actor import node_agent_actor
from actors.runtime.ids import NAMESPACE, ActorName
from actors.worker.actor import worker_actor
from supervisor.child_ports import ClusterPorts
from supervisor.link import follow
from supervisor.scheduling import has_room, node_of, on_node
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
