"""The hands of one runner, one on each node: its own in this process, the others in actors that end with it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, cast

import ray
from ray.exceptions import GetTimeoutError, RayError

from actors.runtime.node import board_path
from experiments.errors import NodeUnreachableError
from experiments.hands.hand import Hand

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from experiments.hands.orders import NodeFacts

_START_S = 30.0
_ASK_S = 15.0
_THREADS = 8


class HandActor(Hand):
    """A hand in an actor of its node."""

    def __init__(self, supervisor: str) -> None:
        super().__init__(str(ray.get_runtime_context().get_node_id()), board_path(supervisor))


class RemoteHand:
    """A hand on another node, called like one here.

    Args:
        node_id: Its node.
        actor: Its handle.
    """

    def __init__(self, node_id: str, actor: Any) -> None:
        self._node_id = node_id
        self._actor = actor

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            try:
                return ray.get(getattr(self._actor, method).remote(*arguments), timeout=_ASK_S)
            except (GetTimeoutError, RayError) as error:
                cause = getattr(error, "cause", None)
                if isinstance(cause, Exception):
                    raise cause from None
                raise NodeUnreachableError(self._node_id, reason=type(error).__name__) from error

        return call


class Hands:
    """See the module.

    Args:
        supervisor: Whose experiments.
    """

    def __init__(self, supervisor: str) -> None:
        self._supervisor = supervisor
        self.here: str = str(ray.get_runtime_context().get_node_id())
        self._own = Hand(self.here, board_path(supervisor))
        self._lock = threading.Lock()
        self._others: dict[str, tuple[Any, Hand]] = {}

    @property
    def own(self) -> Hand:
        """The hand of this process's node."""
        return self._own

    def on(self, node_id: str) -> Hand:
        """The hand of a node; an actor is started there at the first call. Nothing: this one's."""
        if node_id in ("", self.here):
            return self._own
        with self._lock:
            known = self._others.get(node_id)
            if known is None:
                actor = _start(self._supervisor, node_id)
                known = self._others[node_id] = (actor, cast("Hand", RemoteHand(node_id, actor)))
        return known[1]

    def all(self) -> Iterator[tuple[str, Hand]]:
        """The hand of every living node, this one's first."""
        nodes = [str(node["NodeID"]) for node in ray.nodes() if node["Alive"]]
        for node_id in (self.here, *sorted(set(nodes) - {self.here})):
            yield node_id, self.on(node_id)

    def introduce(self, asked: Collection[tuple[int, int]] = ()) -> list[NodeFacts]:
        """Every node that answers."""
        found: list[NodeFacts] = []
        for _, hand in self.all():
            try:
                found.append(hand.introduce(tuple(asked)))
            except NodeUnreachableError:
                continue
        return found

    def close(self) -> None:
        """Undo what is held, and end the other hands."""
        self._own.close()
        with self._lock:
            others, self._others = self._others, {}
        for actor, hand in others.values():
            try:
                hand.close()
            except (NodeUnreachableError, OSError):
                pass  # its node is gone; its watchdogs are not, where that is not
            ray.kill(actor, no_restart=True)


def _start(supervisor: str, node_id: str) -> Any:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy  # noqa: PLC0415 - costs 30 ms to import

    wrap: Any = ray.remote(HandActor)
    actor = wrap.options(
        num_cpus=0,
        max_restarts=0,
        max_concurrency=_THREADS,
        scheduling_strategy=NodeAffinitySchedulingStrategy(node_id=node_id, soft=False),
    ).remote(supervisor)
    try:
        facts: NodeFacts = ray.get(actor.introduce.remote(), timeout=_START_S)
    except (GetTimeoutError, RayError) as error:
        raise NodeUnreachableError(node_id, reason=f"no hand comes up there: {type(error).__name__}") from error
    if facts.node_id != node_id:
        raise NodeUnreachableError(node_id, reason="its hand came up on another node")
    return actor
