"""One process's way to the workers that the leader announces."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import ActorDiedError, RayError

from actors.runtime import process
from actors.runtime.clock import sleep
from actors.runtime.death_watch import DeathWatch
from actors.runtime.errors import RestartIntensityError
from actors.runtime.replies import when_answered
from supervisor.election import actor_by_name
from supervisor.tasks.crew import Route

if TYPE_CHECKING:
    from actors.runtime.replicated import Replica
    from supervisor.link import LeaderLink
    from supervisor.messages import ClusterView, PoolView, WorkerView
    from supervisor.tasks.dispatcher import Dispatcher

_ASK_AGAIN_S = 0.25


class PoolRoutes:
    """Turns the leader's views into routes for the dispatchers, and does for them what needs the cluster."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._seen = (0, 0)
        self._handles: dict[str, Any] = {}
        self._workers: dict[str, WorkerView] = {}
        self._agents: dict[str, tuple[str, Any]] = {}
        self._doomed: set[str] = set()
        self._dispatchers: Mapping[str, Dispatcher] = {}
        self._link: LeaderLink | None = None
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._node_id: str = ray.get_runtime_context().get_node_id()
        self._deaths = DeathWatch(self._on_death)
        self.view: ClusterView | None = None

    def attach(self, link: LeaderLink, dispatchers: Mapping[str, Dispatcher]) -> None:
        """From now on views go to these dispatchers."""
        with self._lock:
            self._link = link
            self._dispatchers = dispatchers
            view = self.view
        if view is not None:
            self._announce(view)

    def on_replica(self, replica: Replica) -> None:
        """The link has a newer view."""
        with self._lock:
            if (replica.incarnation, replica.version) <= self._seen:
                return
            self._seen = (replica.incarnation, replica.version)
            view: ClusterView = pickle.loads(replica.payload)  # noqa: S301 - our own leader made it
            self.view = view
            self._announce(view)
        with self._changed:
            self._changed.notify_all()

    def seen(self) -> tuple[ClusterView | None, tuple[int, int]]:
        """The newest view, and its place among all: a leader's incarnation and the how-manieth of its views."""
        with self._lock:
            return self.view, self._seen

    def wait_for(self, condition: Callable[[ClusterView], bool], timeout_s: float) -> bool:
        """Wait until a view fulfils the condition; False when time is out first."""
        with self._changed:
            return self._changed.wait_for(lambda: self.view is not None and condition(self.view), timeout_s)

    def close(self) -> None:
        """Watch no workers any more, and ask none: after `ray.shutdown()` a question would connect to any Ray."""
        self._closed.set()
        self._deaths.close()

    # -- what dispatchers need ----------------------------------------------------------------------------------------

    def handle(self, name: str) -> Any:
        """The handle of an announced worker, or None."""
        return self._handles.get(name)

    def refresh(self) -> None:
        """Look at the board."""
        if self._link is not None:
            self._link.refresh()

    def kill(self, name: str, reason: str) -> None:
        """End a worker's process. The leader hears first why, or the kernel would tell it of an unexplained death.

        A second order waits for nobody: the leader may be silent.
        """
        leader = self._link.leader() if self._link is not None else None
        if leader is None or name in self._doomed:
            self._end(name)
            return
        self._doomed.add(name)
        when_answered(leader.announce_exit.remote(name, "task_limit"), lambda _: self._end(name))

    def _end(self, name: str) -> None:
        """Here if it runs on this node, else by its node's agent. Ray's own thread comes here: nothing may block."""
        worker = self._workers.get(name)
        if worker is None:
            return
        if worker.location.node_id == self._node_id and process.kill(worker.location.process):
            return
        agent = self._agents.get(worker.location.node_id)
        if agent is not None:
            agent[1].kill_worker.remote(name)
        elif (handle := self._handles.get(name)) is not None:
            ray.kill(handle, no_restart=True)

    def suspect(self, name: str) -> None:
        """Ask a worker that could not be reached until it answers or is replaced; then announce it again."""
        threading.Thread(target=self._ask_again, args=(name,), name="supervisor-suspect", daemon=True).start()

    def _ask_again(self, name: str) -> None:
        while not self._closed.is_set() and (handle := self._handles.get(name)) is not None:
            try:
                ray.get(handle.describe.remote(), timeout=5.0)
            except ActorDiedError:
                return
            except RayError:
                sleep(_ASK_AGAIN_S)
                continue
            with self._lock:
                if self.view is not None:
                    self._announce(self.view)
            return

    # -- views ------------------------------------------------------------------------------------------------------

    def _announce(self, view: ClusterView) -> None:
        workers = {worker.name: worker for pool in view.pools.values() for worker in pool.workers}
        self._workers = workers
        self._doomed.intersection_update(workers)
        self._find_agents(view.agents)
        self._deaths.keep_only(set(workers))
        for name in set(self._handles) - set(workers):
            del self._handles[name]
        for name in set(workers) - set(self._handles):
            handle = actor_by_name(name)
            if handle is not None:
                # The first call to an actor opens the connection; done ahead, a failover does not wait for it.
                handle.describe.remote()
                self._handles[name] = handle
                if workers[name].location.node_id == self._node_id:
                    self._deaths.watch(name, workers[name].location.process)
        for pool, dispatcher in self._dispatchers.items():
            seen = view.pools.get(pool)
            if seen is not None:
                self._hand_over(pool, seen, dispatcher)

    def _find_agents(self, names: Mapping[str, str]) -> None:
        self._agents = {
            node: (name, handle)
            for node, name in names.items()
            if node != self._node_id and (handle := self._agent(node, name)) is not None
        }

    def _agent(self, node: str, name: str) -> Any | None:
        known = self._agents.get(node)
        return known[1] if known is not None and known[0] == name else actor_by_name(name)

    def _on_death(self, name: str) -> None:
        """The kernel says that a worker of this node is dead: its tasks go elsewhere at once."""
        for dispatcher in list(self._dispatchers.values()):
            dispatcher.worker_died(name)

    def _hand_over(self, name: str, pool: PoolView, dispatcher: Dispatcher) -> None:
        if pool.failure is not None:
            dispatcher.pool_failed(pool_error(name, pool))
            return
        dispatcher.announce(
            [
                Route(name=worker.name, role="standby" if worker.role == "standby" else "active")
                for worker in pool.workers
                if worker.name in self._handles
            ]
        )


def pool_error(name: str, pool: PoolView) -> RestartIntensityError:
    """The error that a pool's failure means for its tasks."""
    return RestartIntensityError(
        f"pool {name}", restarts=pool.restarts, period_s=pool.period_s, last_error=pool.failure or ""
    )
