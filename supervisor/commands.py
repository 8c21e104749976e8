"""Carries the supervisor machine's commands out on Ray, and reports back as events. It decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import TYPE_CHECKING, Any, assert_never

import ray
from ray.exceptions import ActorDiedError, ActorUnavailableError, GetTimeoutError, RayError, RayTaskError

from actors.event_log.actor import APPEND_THREADS, event_log_actor
from actors.node_agent.actor import NodeAgent
from actors.runtime import process
from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.death_watch import DeathWatch
from actors.runtime.errors import StaleIncarnationError
from actors.runtime.ids import NAMESPACE, ActorName
from actors.runtime.replies import when_answered
from actors.worker.actor import Worker
from supervisor import messages as m
from supervisor.election import actor_by_name, living_nodes
from supervisor.exits import classify_exit, last_line
from supervisor.link import follow
from supervisor.tree import Location

if TYPE_CHECKING:
    from actors.runtime.emitter import Emitter
    from actors.runtime.shell import Description
    from supervisor.charter import Charter

_WORKER_THREADS = 32
_REACH_AGAIN_S = 0.2
_FLUSH_TIMEOUT_S = 5.0


class ClusterRunner:
    """One leader's hands."""

    def __init__(
        self,
        charter: Charter,
        leader: ActorName,
        *,
        post: Callable[[m.Event], None],
        publish: Callable[[], None],
        depose: Callable[[], None],
        emitter: Emitter,
    ) -> None:
        self._charter = charter
        self._leader = leader
        self._post = post
        self._publish = publish
        self._depose = depose
        self._emitter = emitter
        self._handles: dict[str, tuple[int, Any]] = {}
        self._agents: dict[str, Any] = {}
        self._node_id: str = ray.get_runtime_context().get_node_id()
        self._deaths = DeathWatch(self._on_death)
        self._stops: list[Future[None]] = []
        self._threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="supervisor-run")

    def run(self, command: m.Command) -> None:  # noqa: C901 - one branch per command, closed
        """Carry out one command; returns at once, what takes time goes on in a thread."""
        match command:
            case m.StartChild(key=key, incarnation=incarnation):
                self._threads.submit(self._start, key, incarnation)
            case m.AdoptChild(key=key, incarnation=incarnation):
                self._threads.submit(self._adopt, key, incarnation)
            case m.AskHeartbeat(key=key, incarnation=incarnation):
                self._ask(key, incarnation)
            case m.LookAtProcess():
                self._look(command)
            case m.KillChild():
                self._kill(command)
            case m.StopChild():
                self._stops.append(self._threads.submit(self._stop, command))
            case m.AwaitStops():
                wait(self._stops)
                self._emitter.flush(_FLUSH_TIMEOUT_S)
            case m.Publish():
                self._publish()
            case m.RecordChild():
                self._record_child(command)
            case m.RecordRestart():
                self._record_restart(command)
            case _:
                assert_never(command)

    def wait(self) -> None:
        """Until everything that was begun is done."""
        self._threads.shutdown(wait=True)
        self._deaths.close()

    def log_handle(self) -> Any | None:
        """The current log writer's handle, or None."""
        held = self._handles.get("event_log/writer")
        return None if held is None else held[1]

    # -- starting ---------------------------------------------------------------------------------------------------

    def _name(self, key: str, incarnation: int) -> ActorName:
        concern, _, child = key.partition("/")
        return ActorName(self._charter.name, concern, child, incarnation)

    def _start(self, key: str, incarnation: int) -> None:
        name = self._name(key, incarnation)
        try:
            handle = self._create(name)
        except (RayError, ValueError) as error:
            self._post(m.ChildStartFailed(key=key, incarnation=incarnation, error=last_line(str(error))))
            return
        self._hold(key, incarnation, handle)

    def _adopt(self, key: str, incarnation: int) -> None:
        handle = actor_by_name(self._name(key, incarnation))
        if handle is None:
            self._post(
                m.ChildStartFailed(key=key, incarnation=incarnation, error="it ended before it could be adopted")
            )
            return
        self._hold(key, incarnation, handle)

    def _create(self, name: ActorName) -> Any:
        charter, leader = self._charter, self._leader.incarnation
        options: dict[str, Any] = {
            "name": str(name),
            "namespace": NAMESPACE,
            "lifetime": "detached",
            "max_restarts": 0,
            "num_cpus": 0,
        }
        if name.concern == "worker":
            pool = charter.config.pools[name.child.rpartition("-")[0]]
            options |= {"num_cpus": pool.num_cpus, "max_concurrency": _WORKER_THREADS, "scheduling_strategy": "SPREAD"}
            return Worker.options(**options).remote(str(name), leader)
        if name.concern == "event_log":
            options |= {"max_concurrency": APPEND_THREADS, "scheduling_strategy": _on_node(charter.log_node_id)}
            log = charter.config.log
            writer = event_log_actor().options(**options)
            return writer.remote(str(name), leader, path=log.path, otlp_endpoint=charter.otlp_endpoint)
        node_id = self._node_of_agent(name.child)
        options |= {"scheduling_strategy": _on_node(node_id)}
        return NodeAgent.options(**options).remote(
            str(name), leader, partial(follow, charter, self._leader.incarnation)
        )

    @staticmethod
    def _node_of_agent(child: str) -> str:
        for node in living_nodes():
            if node.startswith(child):
                return node
        raise ValueError(f"node {child} has left the cluster")

    def _hold(self, key: str, incarnation: int, handle: Any) -> None:
        self._handles[key] = (incarnation, handle)
        self._then(handle.describe.remote(), partial(self._on_described, key, incarnation, handle))

    def _hold_again(self, key: str, incarnation: int, handle: Any) -> None:
        """Out of reach is not dead: ask again; how long a start may take is the machine's business."""
        sleep(_REACH_AGAIN_S)
        self._hold(key, incarnation, handle)

    def _on_described(self, key: str, incarnation: int, handle: Any, reply: Description | BaseException) -> None:
        """The first answer of a process costs 0.3 s more than the second: it is ready only after two."""
        if isinstance(reply, ActorUnavailableError):
            self._threads.submit(self._hold_again, key, incarnation, handle)
            return
        if isinstance(reply, BaseException):
            self._post(m.ChildStartFailed(key=key, incarnation=incarnation, error=_why(reply)))
            return
        location = Location(process=reply.process, node_id=reply.node_id, host=reply.host)
        second = (
            handle.ready.remote() if key.startswith("worker/") else handle.heartbeat.remote(self._leader.incarnation)
        )
        self._then(second, partial(self._on_second_answer, key, incarnation, handle, location))

    def _on_second_answer(self, key: str, incarnation: int, handle: Any, location: Location, reply: object) -> None:
        if isinstance(reply, StaleIncarnationError):
            self._depose()
        if isinstance(reply, ActorUnavailableError):
            self._threads.submit(self._hold_again, key, incarnation, handle)
            return
        if isinstance(reply, BaseException):
            self._post(m.ChildStartFailed(key=key, incarnation=incarnation, error=_why(reply)))
            return
        if key.startswith("node_agent/"):
            self._agents[location.node_id] = handle
        self._post(m.ChildReady(key=key, incarnation=incarnation, location=location))
        self._watch(key, incarnation, handle)
        if location.node_id == self._node_id:
            self._deaths.watch(str(self._name(key, incarnation)), location.process)

    # -- watching ---------------------------------------------------------------------------------------------------

    def _watch(self, key: str, incarnation: int, handle: Any) -> None:
        self._then(handle.watch.remote(str(self._leader)), partial(self._on_watch_ended, key, incarnation, handle))

    def _on_watch_ended(self, key: str, incarnation: int, handle: Any, reply: object) -> None:
        if isinstance(reply, ActorUnavailableError):
            self._threads.submit(self._reach_again, key, incarnation, handle)
        elif isinstance(reply, BaseException):
            self._post(
                m.ChildDied(key=key, incarnation=incarnation, exit_class=classify_exit(str(reply)), detail=_why(reply))
            )

    def _on_death(self, actor: str) -> None:
        """The kernel says so before Ray does."""
        name = ActorName.parse(actor)
        if name is not None:
            self._post(
                m.ChildDied(key=name.key, incarnation=name.incarnation, exit_class="killed", detail="its process ended")
            )

    def _reach_again(self, key: str, incarnation: int, handle: Any) -> None:
        """Out of reach is not dead: watch it again; its heartbeats go on meanwhile."""
        sleep(_REACH_AGAIN_S)
        self._watch(key, incarnation, handle)

    def _ask(self, key: str, incarnation: int) -> None:
        held = self._handles.get(key)
        if held is not None and held[0] == incarnation:
            self._then(
                held[1].heartbeat.remote(self._leader.incarnation), partial(self._on_heartbeat, key, incarnation)
            )

    def _on_heartbeat(self, key: str, incarnation: int, reply: object) -> None:
        if isinstance(reply, StaleIncarnationError):
            self._depose()
        elif not isinstance(reply, BaseException):
            self._post(m.HeartbeatAnswered(key=key, incarnation=incarnation))

    def _look(self, command: m.LookAtProcess) -> None:
        found = partial(self._on_evidence, command.key, command.incarnation)
        if command.node_id == self._node_id:
            found(process.evidence(command.process, SYSTEM_CLOCK.now()))
        elif (agent := self._agents.get(command.node_id)) is not None:
            self._then(agent.evidence.remote(command.process), found)

    def _on_evidence(self, key: str, incarnation: int, reply: process.ProcessEvidence | BaseException) -> None:
        if not isinstance(reply, BaseException):
            self._post(m.EvidenceFound(key=key, incarnation=incarnation, evidence=reply))

    # -- ending -----------------------------------------------------------------------------------------------------

    def _kill(self, command: m.KillChild) -> None:
        if command.process is not None and command.node_id == self._node_id:
            process.kill(command.process)
        elif command.process is not None and (agent := self._agents.get(command.node_id or "")) is not None:
            agent.kill.remote(command.process, self._leader.incarnation)
        self._threads.submit(self._ray_kill, command.key, command.incarnation)

    def _ray_kill(self, key: str, incarnation: int) -> None:
        handle = actor_by_name(self._name(key, incarnation))
        if handle is not None:
            ray.kill(handle, no_restart=True)

    def _stop(self, command: m.StopChild) -> None:
        held = self._handles.get(command.key)
        if held is not None and held[0] == command.incarnation:
            try:
                ray.get(held[1].stop.remote(self._leader.incarnation), timeout=command.within_s)
            except (RayError, GetTimeoutError):
                pass  # it does not answer, or is gone: either way it is ended now
        self._ray_kill(command.key, command.incarnation)

    # -- records ----------------------------------------------------------------------------------------------------

    def _record_child(self, command: m.RecordChild) -> None:
        where = command.location
        concern = command.key.partition("/")[0]
        row = (
            command.key,
            command.incarnation,
            concern,
            command.role,
            command.event,
            where.node_id if where else None,
            where.process.pid if where else None,
            SYSTEM_CLOCK.wall_us(),
            self._leader.incarnation,
            command.detail,
        )
        self._emitter.emit("children", row)

    def _record_restart(self, command: m.RecordRestart) -> None:
        row = (
            command.key,
            command.from_incarnation,
            command.to_incarnation,
            command.exit_class,
            command.reason,
            command.group,
            command.delay_ms,
            SYSTEM_CLOCK.wall_us(),
            self._leader.incarnation,
        )
        self._emitter.emit("restarts", row)

    @staticmethod
    def _then(ref: Any, callback: Callable[[Any], None]) -> None:
        when_answered(ref, callback)


def _on_node(node_id: str) -> Any:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy  # noqa: PLC0415 - costs 30 ms to import

    return NodeAffinitySchedulingStrategy(node_id=node_id, soft=False)


def _why(error: BaseException) -> str:
    """What a person needs to know of a Ray error."""
    if isinstance(error, RayTaskError):
        return last_line(str(error))
    cause = getattr(error, "error_msg", None) if isinstance(error, ActorDiedError) else None
    return _essence(str(cause or error))


def _essence(text: str) -> str:
    """What matters of Ray's text on a death: a constructor's exception stands last, otherwise the exit's detail."""
    if "creation task" in text:
        return last_line(text)
    _, found, detail = text.partition("Worker exit type:")
    said = f"worker exit type:{detail}" if found else text.strip()
    return said.partition(" Some common causes")[0].partition("\n")[0].strip()
