"""The dispatcher: the dispatch machine of one pool, in the caller's process, with Ray on its other side.

The machine runs under one lock; what it commands is carried out after the lock is released, so that neither Ray nor a
user's callback ever runs under it. Replies arrive on Ray's own thread; one ticker thread serves timers.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from ray.exceptions import ActorDiedError, RayError

from actors.runtime.errors import QueueFullError, SupervisorClosedError, SupervisorError, TaskPayloadError
from actors.runtime.replies import Awaited, when_answered
from actors.runtime.vital_threads import steady_thread
from supervisor.tasks import commands as do
from supervisor.tasks.functions import FunctionBook
from supervisor.tasks.future import TaskFuture
from supervisor.tasks.guarded import Guards
from supervisor.tasks.machine import DispatchMachine
from supervisor.tasks.resolving import decode_error, resolve, text_of
from supervisor.tasks.task import Outcome, Task

if TYPE_CHECKING:
    from random import Random

    from actors.runtime.clock import Clock
    from actors.runtime.id_source import IdSource
    from supervisor.tasks.crew import Route
    from supervisor.tasks.policy import Policy
    from supervisor.tasks.records import TaskRecorder
    from supervisor.tasks.settings import DispatchSettings

TICK_S = 0.005
TAUGHT_MAX = 32
"""Functions, the last used ones, that a new worker is taught ahead of its first task."""

IDLE_TICKS = 200
"""Ticks without unfinished tasks after which the ticker sleeps until the next submit."""


class WorkerAccess(Protocol):
    """What the dispatcher needs of the cluster."""

    def handle(self, name: str) -> Any:
        """The Ray actor handle of a worker that was announced, or None."""
        ...

    def kill(self, name: str, reason: str) -> None:
        """End a worker's process now, wherever it runs."""
        ...

    def refresh(self) -> None:
        """Called on every tick: look for a newer announcement and hand it over."""
        ...

    def suspect(self, name: str) -> None:
        """A worker cannot be reached: find out, and announce it again when it answers."""
        ...


class Dispatcher:
    """Takes tasks of one process for one pool."""

    def __init__(  # noqa: PLR0913 - the ports it stands on
        self,
        *,
        name: str,
        pool: str,
        client: str,
        settings: DispatchSettings,
        workers: WorkerAccess,
        recorder: TaskRecorder,
        clock: Clock,
        ids: IdSource,
        rng: Random,
    ) -> None:
        self._name = name
        self._pool = pool
        self._client = client
        self._settings = settings
        self._workers = workers
        self._recorder = recorder
        self._clock = clock
        self._ids = ids
        self._machine = DispatchMachine(settings, rng, decode_error)
        self._functions = FunctionBook()
        self._guards = Guards(name)
        self._cancel_task = self._cancel
        self._sent_functions: dict[str, set[bytes]] = {}
        self._taught: set[str] = set()
        self._number = 0
        self._awaited: Awaited | None = None
        self._lock = threading.Lock()
        self._room = threading.Condition(self._lock)
        self._awake = threading.Event()
        self._closed = False
        self._ticker = steady_thread(self._tick_on, name=f"supervisor-tasks-{pool}")
        self._ticker.start()

    # -- the caller's side ------------------------------------------------------------------------------------------

    def submit(  # noqa: PLR0913 - one argument for each thing a caller can say of a task
        self,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *,
        policy: Policy,
        key: str | None = None,
        name: str | None = None,
        parent: tuple[int, int] | None = None,
        on_full: str | None = None,
    ) -> TaskFuture[Any]:
        """Hand a task in; see `Supervisor.submit`."""
        if policy.breaker is not None:
            fn = self._guards.guarded(fn, policy.breaker)
        known = self._known(fn)
        try:
            arguments, refs = known.pickle_arguments(args, kwargs)
        except Exception as error:
            raise TaskPayloadError(
                "(not accepted)", what=f"arguments for {known.callee.name}", reason=text_of(error)
            ) from error
        ids = self._ids
        trace_id, parent_span_id = parent if parent is not None else (ids.trace_id(), 0)
        now = self._clock.now()
        task = Task(
            number=0,
            task_id="",
            key=key,
            name=name,
            callee=known.callee,
            arguments=arguments,
            refs=refs,
            policy=policy,
            deadline_at=None if policy.deadline_s is None else now + policy.deadline_s,
            fallback=None if policy.fallback is None else self._known(policy.fallback.fn).callee,
            submitted_us=self._clock.wall_us(),
            trace_id=trace_id,
            span_id=ids.span_id(),
            parent_span_id=parent_span_id,
        )
        if known.unproven:
            task.unproven, task.source = True, (fn, args, kwargs)
        with self._lock:
            self._admit(on_full or self._settings.on_full)
            self._number = task.number = self._number + 1
            task.task_id = f"{self._client}-{task.number:x}"
            future = task.future = TaskFuture(task.task_id, key, trace_id, self._cancel_task)
            future.task = task
            commands = self._machine.submitted(task, now)
        if not self._awake.is_set():
            self._awake.set()
        self._listen()
        self._carry_out(commands, submitting=future)
        return future

    def _listen(self) -> None:
        """Whoever submits more does not wait for the last one: its answer is told by a callback then."""
        awaited, self._awaited = self._awaited, None
        if awaited is not None:
            awaited.listen()

    def _known(self, fn: Callable[..., Any]) -> Any:
        if not callable(fn):
            raise TaskPayloadError("(not accepted)", what=f"function {fn!r}", reason="it cannot be called")
        try:
            return self._functions.get(fn)
        except Exception as error:
            raise TaskPayloadError("(not accepted)", what=f"function {fn!r}", reason=text_of(error)) from error

    def _admit(self, on_full: str) -> None:
        while True:
            if self._closed:
                raise SupervisorClosedError(self._name)
            if self._machine.unfinished < self._settings.queue_limit:
                return
            if on_full == "raise":
                raise QueueFullError(self._settings.queue_limit, pool=self._pool)
            self._room.wait(0.1)

    def _cancel(self, future: TaskFuture[Any]) -> None:
        task = future.task
        if task is None:  # it has just ended, and its future could still be cancelled
            return
        with self._lock:
            commands = self._machine.cancelled(task)
        self._carry_out(commands)

    @property
    def unfinished(self) -> int:
        """Tasks that have not ended."""
        return self._machine.unfinished

    def drain(self, timeout_s: float) -> bool:
        """Wait until every task has ended; False when time is out first."""
        until = self._clock.now() + timeout_s
        with self._room:
            while self._machine.unfinished and self._clock.now() < until:
                self._room.wait(0.05)
            return self._machine.unfinished == 0

    def close(self) -> None:
        """Take no more tasks; those that have not ended get `SupervisorClosedError`."""
        with self._lock:
            self._closed = True
            commands = self._machine.abandon(SupervisorClosedError(self._name))
        self._awake.set()
        self._carry_out(commands)

    # -- the cluster's side -----------------------------------------------------------------------------------------

    def announce(self, routes: Sequence[Route]) -> None:
        """The supervisor's newest list of the pool's workers."""
        known = {route.name for route in routes}
        with self._lock:
            commands = self._machine.routes_changed(routes, self._clock.now())
            self._sent_functions = {name: sent for name, sent in self._sent_functions.items() if name in known}
        self._carry_out(commands)
        for name in known - self._taught:
            self._teach(name)
        self._taught = known

    def _teach(self, name: str) -> None:
        """Send a new worker what tasks call here, so that it has imported all of it before its first one."""
        functions = self._functions.recent(TAUGHT_MAX)
        handle = self._workers.handle(name)
        if functions and handle is not None:
            handle.learn.remote(functions)
            self._sent_functions.setdefault(name, set()).update(functions)

    def pool_failed(self, error: SupervisorError) -> None:
        """The supervisor gave the pool up."""
        with self._lock:
            commands = self._machine.pool_failed(error)
        self._carry_out(commands)

    def worker_died(self, name: str) -> None:
        """A worker is known to be dead."""
        with self._lock:
            commands = self._machine.worker_lost(name, self._clock.now())
            self._sent_functions.pop(name, None)
        self._carry_out(commands)

    def _tick_on(self) -> None:
        idle = 0
        while not self._closed:
            idle = 0 if self._machine.unfinished else idle + 1
            if idle > IDLE_TICKS:
                self._awake.clear()
                self._awake.wait(0.25)
            else:
                self._ticker_rest()
            self._listen()
            self._workers.refresh()
            with self._lock:
                commands = self._machine.timer(self._clock.now())
            self._carry_out(commands)

    @staticmethod
    def _ticker_rest() -> None:
        threading.Event().wait(TICK_S)

    # -- commands ---------------------------------------------------------------------------------------------------

    def _carry_out(self, commands: Sequence[do.Command], submitting: TaskFuture[Any] | None = None) -> None:
        for command in commands:
            match command:
                case do.SettleTasks(ended=ended):
                    self._settle(ended)
                case do.SendBatch():
                    self._send(command, submitting)
                case do.RecallBatch(worker=worker, number=number):
                    self._recall(worker, number)
                case do.RecordAttempt():
                    self._recorder.attempt(command)
                case do.TellBreaker(breaker=breaker, ticket=ticket):
                    self._guards.timed_out(breaker, ticket)
                case do.ResendFunction(worker=worker, digest=digest):
                    self._sent_functions.get(worker, set[bytes]()).discard(digest)
                case do.TravelByValue(task=task, reason=reason):
                    self._travel_by_value(task, reason)
                case do.KillWorker(worker=worker, reason=reason):
                    self._workers.kill(worker, reason)

    def _send(self, command: do.SendBatch, submitting: TaskFuture[Any] | None) -> None:
        batch = command.batch
        handle = self._workers.handle(batch.worker)
        sent = self._sent_functions.setdefault(batch.worker, set())
        functions: dict[bytes, bytes] = {}
        entries: list[Any] = []
        refs: list[Any] = []
        sent_us = self._clock.wall_us()
        for task, limit_s, remaining_s in command.entries:
            callee = task.callee
            if callee.digest not in sent:
                functions[callee.digest] = callee.data
                sent.add(callee.digest)
            held = None
            if task.refs:
                held = (len(refs), len(task.refs))
                refs.extend(task.refs)
            task.attempt_us = sent_us
            if task.policy.breaker is not None:
                task.ticket = self._guards.ticket(task)
            context = (task.task_id, task.key, task.attempt, remaining_s, task.trace_id, task.attempt_span_id)
            entries.append((task.number, callee.digest, task.arguments, held, limit_s, context))
        data = pickle.dumps((self._client, batch.number, entries, functions), 5)
        try:
            ref = handle.run.remote(data, refs) if refs else handle.run.remote(data)
        except (RayError, ValueError, AttributeError) as error:
            self._on_reply(batch.number, batch.worker, error)
            return
        on_reply = partial(self._on_reply, batch.number, batch.worker)
        if submitting is None or len(entries) > 1 or submitting.task is not command.entries[0][0]:
            when_answered(ref, on_reply)
        else:
            self._awaited = submitting.answer = Awaited(ref, on_reply)

    def _on_reply(self, number: int, worker: str, reply: Any) -> None:
        if isinstance(reply, BaseException):
            self._on_call_failed(worker, reply)
            return
        data, refs = (reply, ()) if isinstance(reply, bytes) else reply
        results = pickle.loads(data)  # noqa: S301 - our own worker made it
        with self._lock:
            commands = self._machine.replied(number, results, refs, self._clock.now())
        self._carry_out(commands)

    def _recall(self, worker: str, number: int) -> None:
        handle = self._workers.handle(worker)
        try:
            ref = handle.recall.remote(self._client, number)
        except (RayError, ValueError, AttributeError) as error:
            self._on_call_failed(worker, error)
            return
        when_answered(ref, partial(self._on_recalled, number, worker))

    def _on_recalled(self, number: int, worker: str, reply: Any) -> None:
        if isinstance(reply, BaseException):
            self._on_call_failed(worker, reply)
            return
        with self._lock:
            commands = self._machine.recalled(number, reply, self._clock.now())
        self._carry_out(commands)

    def _on_call_failed(self, worker: str, error: BaseException) -> None:
        """A dead actor is dead; anything else is only out of reach, and is asked again."""
        if isinstance(error, ActorDiedError):
            self.worker_died(worker)
            return
        with self._lock:
            commands = self._machine.worker_lost(worker, self._clock.now(), may_live=True)
        self._carry_out(commands)
        self._workers.suspect(worker)

    def _travel_by_value(self, task: Task, reason: str) -> None:
        fn, args, kwargs = task.source
        try:
            known = self._functions.by_value(fn)
            task.arguments, task.refs = known.pickle_arguments(args, kwargs)
        except Exception as error:  # noqa: BLE001 - pickling runs users' code; the task alone fails, with both reasons
            why = f"workers cannot import its module ({reason}), and it does not pickle by value: {text_of(error)}"
            failed = TaskPayloadError(task.task_id, what="function", reason=why)
            with self._lock:
                commands = self._machine.ended(task, Outcome("failed", error=failed))
        else:
            task.callee, task.unproven, task.source = known.callee, False, None
            with self._lock:
                commands = self._machine.repickled(task, self._clock.now())
        self._carry_out(commands)

    def _settle(self, ended: Sequence[tuple[Task, Outcome]]) -> None:
        for task, outcome in ended:
            resolve(task, outcome)
            if task.unproven and outcome.kind == "done":
                self._functions.prove(task.source[0])
                task.source = None
        self._recorder.ended(ended)
        with self._room:
            self._room.notify_all()
