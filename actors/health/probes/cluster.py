"""Of the cluster: does an actor answer, a child, a node; what do the breakers say; how long is a queue."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from typing import Any, TypeVar

import ray
from pydantic import Field, field_validator
from ray.actor import ActorHandle
from ray.exceptions import ActorUnavailableError, GetTimeoutError

from actors.breaker.noticeboard import states_on_board
from actors.health.answers import TableSilentError, UnreachableError
from actors.health.probes.place import ReadyProbe, Said, here
from actors.runtime.actor_table import ActorRow, actor_rows
from actors.runtime.ids import NAMESPACE
from actors.runtime.node import board_path

_SHARE = 0.6
"""The part of a check's time that the child itself has; the rest is for its node."""

_TABLE_SHARE = 0.3
"""The part of it that Ray's own table has: who cannot look there has seen nothing, and says so in time."""

_WHOLE_SHARE = 0.9
_TABLE_THREADS = 4

_SHUT = ("open", "forced_open")

T = TypeVar("T")


class ActorProbe(ReadyProbe):
    """Bad when a Ray actor is dead or does not answer; behind its running calls, unless its method has a group."""

    actor: Any = Field(description="Its name, or its handle.")
    namespace: str | None = Field(default=None, description="The namespace of that name; None: this process's.")
    method: str = Field(default="__ray_ready__", description="What to call, without arguments.")

    @field_validator("actor")
    @classmethod
    def _an_actor(cls, actor: Any) -> Any:
        if (isinstance(actor, str) and actor) or isinstance(actor, ActorHandle):
            return actor
        raise ValueError("give an actor's name, or its handle")

    def __call__(self) -> Said:
        name, space = self.actor, self.namespace
        handle = _in_table(lambda: ray.get_actor(name, space)) if isinstance(name, str) else name
        _ask(getattr(handle, self.method).remote(), here().timeout_s)
        return True, "it answers"


class ChildProbe(ReadyProbe):
    """Bad when a supervised child does not answer while its node does. It answers also while its own calls run."""

    child: str = Field(min_length=1, description='Its name, or its key as "worker/default-0".')

    def __call__(self) -> Said:
        key = self.child if "/" in self.child else f"child/{self.child}"
        mine = [row for row in _in_table(actor_rows) if (row.name.supervisor, row.name.key) == (here().supervisor, key)]
        living = [row for row in mine if row.alive]
        if not living:
            return False, f"{key} does not run"
        latest = max(living, key=lambda row: row.name)
        try:
            _ask(_handle(latest).describe.remote(), _SHARE * here().timeout_s)
        except TimeoutError:
            if self._node_answers(latest):
                raise
            raise UnreachableError(f"neither {latest.name} nor its node {latest.node_id[:12]} answer") from None
        return True, f"{latest.name} answers"

    @staticmethod
    def _node_answers(row: ActorRow) -> bool:
        agents = [each for each in _in_table(actor_rows) if each.name.concern == "node_agent" and each.alive]
        agents = [each for each in agents if (each.name.supervisor, each.node_id) == (here().supervisor, row.node_id)]
        if not agents:
            return False
        try:
            _ask(_handle(agents[0]).describe.remote(), (1 - _SHARE) * here().timeout_s)
        except Exception:  # noqa: BLE001 - whatever it is, it is no answer
            return False
        return True


class NodeProbe(ReadyProbe):
    """Bad when a node has left the cluster, as Ray sees it."""

    node: str = Field(min_length=1, description="Its id, the beginning of that, its address or its name.")

    def __call__(self) -> Said:
        for node in _in_table(ray.nodes, share=_WHOLE_SHARE):
            names = (node.get("NodeManagerAddress"), node.get("NodeName"), node.get("NodeManagerHostname"))
            if node["Alive"] and (self.node in names or str(node["NodeID"]).startswith(self.node)):
                return True, f"node {node['NodeID'][:12]} is in the cluster"
        return False, f"no node {self.node} is in the cluster"


class BreakersProbe(ReadyProbe):
    """Bad when a circuit breaker is open, as it lies on this node's board; a breaker that nobody uses is well."""

    pattern: str = Field(default="*", min_length=1, description="A name, or a glob of names.")
    open_max: int = Field(default=0, ge=0, description="So many of them may be open.")

    def __call__(self) -> Said:
        states = states_on_board(board_path(here().supervisor))
        found = {name: state for name, state in states.items() if fnmatchcase(name, self.pattern)}
        shut = [name for name, state in found.items() if state in _SHUT]
        told = f"{len(shut)} of {len(found)} breakers are open" + (f": {', '.join(shut[:5])}" if shut else "")
        return len(shut) <= self.open_max, told


class QueueDepthProbe(ReadyProbe):
    """Bad when a queue is too long."""

    queue: Any = Field(description="What has qsize() or a length (as ray.util.queue.Queue), or tells it when called.")
    at_most: int = Field(gt=0, description="So many may wait in it.")

    @field_validator("queue")
    @classmethod
    def _tells_its_length(cls, queue: Any) -> Any:
        if callable(queue) or hasattr(queue, "qsize") or hasattr(queue, "__len__"):
            return queue
        raise ValueError("give what has qsize() or a length, or a function that tells it")

    def __call__(self) -> Said:
        depth = _depth(self.queue)
        return depth <= self.at_most, f"{depth} wait, at most {self.at_most}"


def _depth(queue: Any) -> int:
    if hasattr(queue, "qsize"):
        return int(queue.qsize())
    tell: Callable[[], Any] = queue if callable(queue) else queue.__len__
    return int(tell())


def _handle(row: ActorRow) -> Any:
    return _in_table(lambda: ray.get_actor(str(row.name), namespace=NAMESPACE))


def _in_table(look: Callable[[], T], *, share: float = _TABLE_SHARE) -> T:
    """What Ray's table says, within this share of the check's time.

    Raises:
        TableSilentError: It does not answer, as while its GCS is down: that says nothing of anybody.
    """
    looking = _LOOKERS.submit(look)
    try:
        found = looking.result(share * here().timeout_s)
    except TimeoutError:
        looking.cancel()
        raise TableSilentError("Ray's table does not answer; its GCS is down, or out of reach") from None
    here().table_answered.set()
    return found


def _ask(ref: Any, timeout_s: float) -> Any:
    try:
        return ray.get(ref, timeout=timeout_s)
    except GetTimeoutError:
        raise TimeoutError(f"no answer within {timeout_s:g} s") from None
    except ActorUnavailableError as error:
        raise UnreachableError(f"it cannot be reached: {str(error).splitlines()[0]}") from None


_LOOKERS = ThreadPoolExecutor(_TABLE_THREADS, "health-table")
"""A table that does not answer keeps these until it does, and no thread of the checks."""
