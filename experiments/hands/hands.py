"""The hands of one runner, one on each node: its own in this process, the others in actors that end with it."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any, TypeVar, cast

import ray
from ray.exceptions import GetTimeoutError, RayError

from actors.runtime.node import board_path
from experiments.errors import NodeUnreachableError
from experiments.hands.hand import Hand

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from experiments.hands.orders import NodeFacts

T = TypeVar("T")

_START_S = 30.0
_ASK_S = 15.0
_ALL_S = _START_S + _ASK_S
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
        self._others: dict[str, Future[tuple[Any, Hand]]] = {}

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
            coming = known or self._others.setdefault(node_id, Future())
        if known is None:
            self._bring_up(node_id, coming)
        return coming.result()[1]

    def _bring_up(self, node_id: str, coming: Future[tuple[Any, Hand]]) -> None:
        """Start a node's hand; under no lock, for others may be wanted at once."""
        try:
            actor = _start(self._supervisor, node_id)
        except BaseException as error:  # noqa: BLE001 - whoever waits for it is told, whatever it is
            with self._lock:
                self._others.pop(node_id, None)
            coming.set_exception(error)
        else:
            coming.set_result((actor, cast("Hand", RemoteHand(node_id, actor))))

    def nodes(self) -> tuple[str, ...]:
        """Every living node, this one first."""
        nodes = {str(node["NodeID"]) for node in ray.nodes() if node["Alive"]}
        return (self.here, *sorted(nodes - {self.here}))

    def each(self, ask: Callable[[Hand], T], *, timeout_s: float = _ALL_S) -> dict[str, T]:
        """What every node answers, see `ask`."""
        return self.ask(dict.fromkeys(self.nodes(), ask), timeout_s=timeout_s)

    def ask(self, asks: Mapping[str, Callable[[Hand], T]], *, timeout_s: float = _ALL_S) -> dict[str, T]:
        """Ask several nodes at once; those that do not answer in time are left out, one does not hold up the others.

        Args:
            asks: What, by node.
            timeout_s: For all together, seconds.
        """
        found: dict[str, T] = {}
        others = [node_id for node_id in asks if node_id not in ("", self.here)]
        pool = ThreadPoolExecutor(max(1, len(others)), thread_name_prefix="chaos-hands")
        asked = {pool.submit(lambda each: asks[each](self.on(each)), each): each for each in others}
        pool.shutdown(wait=False)
        for node_id in asks.keys() - others:
            _take(found, node_id, lambda here: asks[here](self._own))
        for future in wait(asked, timeout_s).done:
            _take(found, asked[future], lambda _, done=future: done.result())
        return {node_id: found[node_id] for node_id in asks if node_id in found}

    def introduce(
        self, asked: Collection[tuple[int, int]], *, of: Collection[str], timeout_s: float = _ALL_S
    ) -> list[NodeFacts]:
        """Those of these nodes that answer, with which of the processes that are asked for live there."""
        asks = dict.fromkeys(of, lambda hand: hand.introduce(tuple(asked)))
        return list(self.ask(asks, timeout_s=timeout_s).values())

    def close(self) -> None:
        """Undo what is held, and end the other hands."""
        self._own.close()
        with self._lock:
            others, self._others = self._others, {}
        for coming in others.values():
            coming.add_done_callback(_end)  # at once, or as soon as it has come up


def _take(found: dict[str, T], node_id: str, answer: Callable[[str], T]) -> None:
    try:
        found[node_id] = answer(node_id)
    except (NodeUnreachableError, OSError):
        return


def _end(coming: Future[tuple[Any, Hand]]) -> None:
    if coming.exception() is not None:
        return
    actor, hand = coming.result()
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
