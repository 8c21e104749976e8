"""`Supervisor`: a process's handle of a supervisor, and the ways to get one."""

from __future__ import annotations

import atexit
import random
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, cast

import ray
from ray.exceptions import GetTimeoutError, RayError

from actors.event_log.transport import LogTransport
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.context import CURRENT
from actors.runtime.emitter import Emitter
from actors.runtime.errors import ConfigError, SupervisorClosedError, SupervisorNotFoundError
from actors.runtime.id_source import IdSource
from actors.runtime.ids import is_valid_name
from actors.runtime.replicated import Replica
from actors.runtime.scrub import Scrubber
from supervisor import launch
from supervisor.charter import Charter
from supervisor.children.registry import Children
from supervisor.concerns import ConcernsHandle
from supervisor.election import actor_by_name, elect
from supervisor.ending import end_supervisor
from supervisor.events import Events
from supervisor.link import LeaderLink
from supervisor.messages import ClusterView
from supervisor.pools import PoolRoutes
from supervisor.starting import (
    ANSWER_TIMEOUT_S,
    charter_for,
    is_decided,
    leader_and_charter,
    log_fault,
    parent_span,
    raise_start_fault,
    within_deadline,
)
from supervisor.status import SupervisorStatus, status_of
from supervisor.submitter import Submitter, SupervisorExecutor
from supervisor.tasks.dispatcher import Dispatcher
from supervisor.tasks.future import TaskFuture
from supervisor.tasks.keys import KeyedTasks
from supervisor.tasks.policy import Policy, TaskOptions
from supervisor.tasks.records import TaskRecorder
from supervisor.tasks.settings import DEFAULT_POOL
from supervisor.tree_client import TreeClient
from supervisor.tree_handle import TreeHandle

if TYPE_CHECKING:
    from supervisor.config import SupervisorConfig

T = TypeVar("T")

_FLUSH_S = 0.1  # a caller's rows wait this long for company: a commit takes milliseconds, whatever it holds


class Supervisor(ConcernsHandle, TreeHandle):
    """A handle: submit tasks through it, read the log, look at the tree. Safe to use from many threads.

    Get one by `Supervisor.start(...)` or `Supervisor.connect(...)`, not by calling the class.
    """

    def __init__(self, charter: Charter, incarnation: int, cluster: launch.Cluster, *, shared: bool = False) -> None:
        self.name = charter.name
        self.config = charter.config
        self._charter = charter
        self._cluster = cluster
        self._closed = False
        self._shared = shared
        self._close_lock = threading.Lock()
        self._keys = KeyedTasks()
        self._default_policy = charter.config.policy
        self._routes = PoolRoutes()
        self._log_writer: tuple[str, Any] | None = None
        self._emitter = Emitter(LogTransport(self._writer), clock=SYSTEM_CLOCK, flush_s=_FLUSH_S)
        self._link = LeaderLink(charter, incarnation, on_replica=self._on_replica, use_board=True)
        self._children = Children(charter.name, ray.get_runtime_context().get_node_id(), self._link.refresh)
        self._client = TreeClient(charter.name, self._link, self._current_view, self._children, self._is_over)
        self._dispatchers = self._make_dispatchers()
        self._routes.attach(self._link, self._dispatchers)
        self._link.start()
        self.events = Events(self._emitter, self._writer, charter.config.log.path, check_open=self._check_open)
        self.begin_reporting()
        atexit.register(self.close)

    def _on_replica(self, replica: Replica) -> None:
        self._routes.on_replica(replica)
        view, order = self._routes.seen()
        if view is not None:
            self._children.on_view(view, order)
            self.stir_services()

    def _is_over(self) -> bool:
        return self._closed or self._link.ended

    def _current_view(self) -> ClusterView:
        self._check_open()
        self._link.refresh()
        return self._wait_view(ANSWER_TIMEOUT_S)

    def _make_dispatchers(self) -> dict[str, Dispatcher]:
        ids = IdSource()
        client = ids.client_id()
        scrubber = Scrubber(self.config.log.scrub)
        return {
            pool: Dispatcher(
                name=self.name,
                pool=pool,
                client=client if pool == DEFAULT_POOL else f"{client}.{pool}",
                settings=self.config.tasks,
                workers=self._routes,
                recorder=TaskRecorder(self._emitter, pool=pool, client=client, clock=SYSTEM_CLOCK, scrubber=scrubber),
                clock=SYSTEM_CLOCK,
                ids=ids,
                rng=random.Random(),  # noqa: S311 - jitter, not secrets
            )
            for pool in self.config.pools
        }

    # -- getting one ------------------------------------------------------------------------------------------------

    @classmethod
    def start(
        cls,
        config: SupervisorConfig | Mapping[str, Any] | str | Path | None = None,
        *,
        name: str = "default",
        address: str | None = None,
    ) -> Self:
        """Start a supervisor and return its handle once its log and its workers are ready.

        Args:
            config: The configuration, a mapping, or a YAML file's path.
            name: The supervisor's name, unique on its cluster.
            address: The cluster (`host:port` of its GCS, or "auto"); left out, the Ray initialised here, else
                RAY_ADDRESS, else an embedded local Ray that ends with this process.

        Raises:
            ConfigError: The configuration or the name is wrong; nothing was started.
            ClusterUnreachableError: The cluster does not answer or refuses this process.
            SupervisorExistsError: The name is taken on this cluster.
            EventLogError: The log cannot be opened.
            RestartIntensityError: The workers do not come up; the last error is in the message.
        """
        from supervisor.config import SupervisorConfig  # noqa: PLC0415 - half of what importing this module took

        settings = SupervisorConfig.load(config)
        if not is_valid_name(name):
            raise ConfigError("name", problems=(f"{name!r} cannot name a supervisor: letters, digits, '_', '.', '-'",))
        log_path = str(Path(settings.log.path).expanduser().absolute())
        settings = settings.model_copy(update={"log": settings.log.model_copy(update={"path": log_path})})
        unusable = log_fault(log_path)
        if unusable is not None and launch.will_embed(address):
            raise unusable
        cluster = launch.join(address, embed=True)
        try:
            charter = charter_for(name, settings, unusable)
            handle = cls(charter, elect(charter, after=0)[0], cluster)
        except BaseException:
            cluster.leave()
            raise
        try:
            handle._wait_ready()
        except BaseException:
            handle.shutdown()
            raise
        return handle

    @classmethod
    def connect(cls, name: str = "default", *, address: str | None = None) -> Self:
        """Attach to a running supervisor from any process or job of its cluster.

        Inside a task, all callers of one worker share one handle, and closing it does nothing.

        Raises:
            ClusterUnreachableError: The cluster does not answer or refuses this process.
            SupervisorNotFoundError: No supervisor of that name leads there; the message names those that do; or it
                runs another version of this package.
        """
        return cls._attach(name, address) if CURRENT.get() is None else cls.of_process(name, address)

    @classmethod
    def of_process(cls, name: str, address: str | None = None) -> Self:
        """The handle that all of this process share who have no other; see `connect`."""
        with _OF_PROCESS_LOCK:
            shared = _OF_PROCESS.get(name)
            if shared is None or shared.closed:
                shared = _OF_PROCESS[name] = cls._attach(name, address, shared=True)
            return cast("Self", shared)

    @classmethod
    def _attach(cls, name: str, address: str | None, *, shared: bool = False) -> Self:
        cluster = launch.join(address, embed=False)
        try:
            incarnation, charter = leader_and_charter(name)
            handle = cls(charter, incarnation, cluster, shared=shared)
        except (RayError, GetTimeoutError) as error:
            cluster.leave()
            raise SupervisorNotFoundError(
                name, reason=f"its leader does not answer ({type(error).__name__})", remedy="Try again in a moment"
            ) from error
        except BaseException:
            cluster.leave()
            raise
        handle._wait_view(ANSWER_TIMEOUT_S)
        return handle

    def _wait_view(self, timeout_s: float) -> ClusterView:
        if not self._routes.wait_for(lambda _: True, timeout_s) or self._routes.view is None:
            raise SupervisorNotFoundError(
                self.name, reason="its leader announces nothing", remedy="See `supervisor status`"
            )
        return self._routes.view

    def _wait_ready(self) -> None:
        """Until the log and every pool's active workers run, or it is clear that they will not."""
        self._routes.wait_for(is_decided, self.config.start_timeout_s)
        raise_start_fault(self._routes.view, self.name, self.config)

    # -- submitting -------------------------------------------------------------------------------------------------

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> TaskFuture[T]:
        """Run `fn(*args, **kwargs)` on the pool; it survives the death of its worker.

        Returns: A future, at once. Ask it for `.result(timeout=...)`, or await it.
        Raises:
            TaskPayloadError: The function or an argument does not pickle.
            QueueFullError: Too many unfinished tasks (unless configured to wait).
            SupervisorClosedError: The handle is shut down.
        """
        return self.submit_with(fn, args, kwargs, policy=self._default_policy)

    def submit_with(  # noqa: PLR0913 - one argument for each thing a caller can say of a task
        self,
        fn: Callable[..., T],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *,
        policy: Policy,
        key: str | None = None,
        name: str | None = None,
        pool: str = DEFAULT_POOL,
        on_full: Literal["raise", "wait"] | None = None,
    ) -> TaskFuture[T]:
        """Like `submit`, with everything given; `options` is the nicer way."""
        dispatcher = self._dispatchers.get(pool)
        if dispatcher is None:
            raise ConfigError(
                "pool", problems=(f"there is no pool {pool!r}; there are: {', '.join(self._dispatchers)}",)
            )
        self._check_open()
        parent = parent_span()
        policy = within_deadline(policy)
        if key is None:
            return dispatcher.submit(fn, args, kwargs, policy=policy, name=name, parent=parent, on_full=on_full)
        hand_in = partial(
            dispatcher.submit, fn, args, kwargs, policy=policy, key=key, name=name, parent=parent, on_full=on_full
        )
        return self._keys.once(key, hand_in)

    def options(  # noqa: PLR0913 - one argument for each thing a caller can say of a task
        self,
        *,
        policy: Policy | None = None,
        key: str | None = None,
        pool: str = DEFAULT_POOL,
        priority: int | None = None,
        timeout_s: float | None = None,
        name: str | None = None,
        on_full: Literal["raise", "wait"] | None = None,
    ) -> Submitter:
        """A submitter with options.

        Args:
            policy: Limits, retries, fallback; left out, the configuration's.
            key: Idempotency key: while a task of this key runs or once one has succeeded, this handle submits no other.
            pool: The pool to run on.
            priority: Overrides the policy's.
            timeout_s: Overrides the policy's.
            name: What the log and the traces call the task; left out, its function's name.
            on_full: "raise" or "wait" when too many tasks are unfinished; left out, as configured.
        """
        options = {"policy": policy, "key": key, "name": name, "on_full": on_full}
        given = TaskOptions.parse(options, source="options(...)")
        chosen = given.policy if given.policy is not None else self._default_policy
        changes = {"priority": priority, "timeout_s": timeout_s}
        changes = {field: value for field, value in changes.items() if value is not None}
        if changes:
            fields = {field: getattr(chosen, field) for field in Policy.model_fields}
            chosen = Policy.parse(fields | changes, source="options(...)")
        return Submitter(self, policy=chosen, key=given.key, name=given.name, pool=pool, on_full=given.on_full)

    def map(self, fn: Callable[..., T], /, *iterables: Iterable[Any]) -> Iterator[T]:
        """Run `fn` over the iterables; yields the results in order, raising where a task failed.

        At most 10,000 tasks are under way ahead of what has been taken.
        """
        return self.options().map(fn, *iterables)

    def executor(self, **options: Any) -> SupervisorExecutor:
        """A `concurrent.futures.Executor` over the pool; takes the arguments of `options`."""
        return SupervisorExecutor(self.options(**options))

    # -- looking ----------------------------------------------------------------------------------------------------

    def status(self) -> SupervisorStatus:
        """Who leads, which children run, who serves each pool, and where the log is.

        Raises:
            SupervisorClosedError: The handle is shut down.
        """
        view = self._current_view()
        return status_of(view, self.config.log.path, self._emitter.statistics(), **self._on_board())

    def _writer(self) -> Any | None:
        """The current log writer's handle; looked up again when the view names another incarnation."""
        self._link.refresh()
        view = self._routes.view
        if view is None or view.event_log is None:
            return None
        if self._log_writer is None or self._log_writer[0] != view.event_log:
            handle = actor_by_name(view.event_log)
            if handle is None:
                return None
            self._log_writer = (view.event_log, handle)
        return self._log_writer[1]

    # -- leaving ----------------------------------------------------------------------------------------------------

    def drain(self, timeout_s: float) -> bool:
        """Wait until all tasks of this handle have ended; False when time is out first."""
        until = SYSTEM_CLOCK.now() + timeout_s
        return all(pool.drain(max(0.0, until - SYSTEM_CLOCK.now())) for pool in self._dispatchers.values())

    def _check_open(self) -> None:
        if self._closed:
            raise SupervisorClosedError(self.name)

    @property
    def closed(self) -> bool:
        """Whether this handle takes no more work."""
        return self._closed

    def close(self) -> None:
        """Leave: end what `start` created for this process (an embedded Ray with all on it), or just this handle."""
        if self._shared:
            return
        if self._cluster.embedded:
            self.shutdown()
        else:
            self._leave()

    def shutdown(self) -> None:
        """End the supervisor itself with all its actors, wherever they run; then leave. Unfinished tasks fail."""
        if self._closed:
            return
        leader = self._link.leader()
        self._stop_submitting()
        if leader is not None and ray.is_initialized():
            end_supervisor(self._charter, leader, embedded=self._cluster.embedded)
        self._leave()

    def _stop_submitting(self) -> None:
        with self._close_lock:
            if self._closed:
                return
            self.leave_services()
            self._closed = True
        for dispatcher in self._dispatchers.values():
            dispatcher.close()
        if ray.is_initialized():
            self._emitter.flush(5.0)
        self._children.close()
        self._link.stop()
        self._routes.close()

    def _leave(self) -> None:
        self._stop_submitting()
        self._emitter.close(0.0)
        self._link.close()
        self._cluster.leave()
        atexit.unregister(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()


_OF_PROCESS: dict[str, Supervisor] = {}
_OF_PROCESS_LOCK = threading.Lock()
