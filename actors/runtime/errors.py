"""Every error a user can meet. Each says what is wrong, where and what to do, and crosses Ray with its data."""

from __future__ import annotations

from typing import Any


def _rebuild(cls: type[SupervisorError], args: tuple[Any, ...], state: dict[str, Any]) -> SupervisorError:
    error = cls.__new__(cls)
    error.args = args
    error.__dict__.update(state)
    return error


class SupervisorError(Exception):
    """The base of all errors of this package.

    Pickling rebuilds the error from its message and attributes without calling `__init__`, so that
    keyword-only constructors survive Ray (which otherwise hands out an `UnserializableException`).
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__.copy())


class ConfigError(SupervisorError):
    """The configuration cannot be used; nothing was started."""

    def __init__(self, source: str, *, problems: tuple[str, ...]) -> None:
        self.source = source
        self.problems = problems
        super().__init__(f"{source}: " + ("; ".join(problems)))


class SupervisorNotFoundError(SupervisorError):
    """No supervisor of that name answers on the cluster, or the cluster itself does not."""

    def __init__(self, name: str, *, reason: str, remedy: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"supervisor {name!r}: {reason}. {remedy}")


class SupervisorExistsError(SupervisorError):
    """A supervisor of that name already runs on this cluster."""

    def __init__(self, name: str, *, leader: str) -> None:
        self.name = name
        self.leader = leader
        super().__init__(
            f"supervisor {name!r} already runs on this cluster as {leader}. Attach with "
            f"Supervisor.connect({name!r}), choose another name, or end it with `supervisor down --name {name}`"
        )


class SupervisorClosedError(SupervisorError):
    """The handle was shut down; it takes no more work."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"the handle of supervisor {name!r} is shut down; start or connect a new one to submit work")


class StaleIncarnationError(SupervisorError):
    """A command came from an incarnation that has been replaced; it was refused, not applied."""

    def __init__(self, target: str, *, sent_by: int, accepted: int) -> None:
        self.target = target
        self.sent_by = sent_by
        self.accepted = accepted
        super().__init__(f"{target} refused a command of incarnation {sent_by}: {accepted} has taken over")


class IgnoreChild(Exception):  # noqa: N818 - OTP's word: a constructor says "ignore", which is no error
    """Raised by a child's constructor that has nothing to do: its spec stays, with no process."""


class ChildError(SupervisorError):
    """The base of errors about one supervised child."""

    key: str


class ChildStartError(ChildError):
    """A child could not be built or could not take over: its constructor or its restoring failed.

    Attributes:
        reason: What was raised, in words; a leader adds the class, and the node as far as there was one.
        exit_class: "normal" when its code asked for the end by `sys.exit(0)`, else "crash".
        raised: What was raised, pickled; None where only the words travelled.
    """

    def __init__(self, key: str, reason: str, *, exit_class: str = "crash", raised: bytes | None = None) -> None:
        self.key = key
        self.reason = reason
        self.exit_class = exit_class
        self.raised = raised
        super().__init__(f"{key} cannot start: {reason}")


class ChildExitError(ChildError):
    """A child's own code ended it, by `sys.exit` or `ray.actor.exit_actor`: what those are told who watch it.

    Attributes:
        exit_class: "normal" for `sys.exit(0)` and `exit_actor()`, else "crash".
    """

    def __init__(self, key: str, *, exit_class: str) -> None:
        self.key = key
        self.exit_class = exit_class
        super().__init__(f"{key} was ended by its own code, with exit code {0 if exit_class == 'normal' else 1}")


class GroupEndedError(ChildError):
    """A group with a supervisor actor of its own has ended by itself: what those are told who watch that actor.

    Attributes:
        exit_class: "shutdown", or "crash" if it could not start.
        reason: Why it ended.
    """

    def __init__(self, key: str, *, exit_class: str, reason: str) -> None:
        self.key = key
        self.exit_class = exit_class
        self.reason = reason
        super().__init__(f"{key} ended with all below it: {reason}")


class ChildStateError(ChildError):
    """A child's state cannot be saved or taken up again; the call that made it so is not acknowledged."""

    def __init__(self, key: str, *, reason: str) -> None:
        self.key = key
        self.reason = reason
        super().__init__(
            f"the state of {key} {reason}. Give its class checkpoint(), which returns what can be pickled, and "
            "restore(state), which takes that up again"
        )


class CheckpointLostError(ChildError):
    """No standby and no store took the state that a call left; the call ran here, but nothing else knows of it."""

    def __init__(self, key: str, *, reason: str) -> None:
        self.key = key
        self.reason = reason
        super().__init__(
            f"{key} ran the call, but its state reached no standby and no store ({reason}): a failover would undo it. "
            "Call again when one is reachable, or look at its target for the effect"
        )


class ChildPayloadError(ChildError):
    """What a child's method was given, or what it returned, cannot travel between processes."""

    def __init__(self, key: str, *, method: str, what: str, reason: str) -> None:
        self.key = key
        self.method = method
        self.what = what
        self.reason = reason
        super().__init__(f"{key}.{method}: its {what} cannot travel to another process ({reason})")


class ChildNotHereError(ChildError):
    """An actor was asked about a child that it does not host, or hosts no more."""

    def __init__(self, key: str, *, host: str) -> None:
        self.key = key
        self.host = host
        super().__init__(f"{key} does not live in {host}; look up where it does with `supervisor ps`")


class RestartIntensityError(SupervisorError):
    """A group restarted more often than its intensity allows and was given up."""

    def __init__(self, group: str, *, restarts: int, period_s: float, last_error: str = "") -> None:
        self.group = group
        self.restarts = restarts
        self.period_s = period_s
        self.last_error = last_error
        because = f" Last error: {last_error}." if last_error else ""
        super().__init__(
            f"group {group!r} was given up after {restarts} restarts within {period_s:g} s.{because} "
            "Mend the cause, then restart it; or raise its intensity and period_s"
        )


class TaskError(SupervisorError):
    """The base of errors about one task."""

    task_id: str


class TaskTimeoutError(TaskError, TimeoutError):
    """The task's code ran longer than `timeout_s`, or its `deadline_s` passed."""

    def __init__(self, task_id: str, *, limit_s: float, what: str = "timeout_s") -> None:
        self.task_id = task_id
        self.limit_s = limit_s
        self.what = what
        super().__init__(
            f"task {task_id} passed its {what} of {limit_s:g} s; raise {what} in its Policy if it needs longer"
        )


class OutcomeUnknownError(TaskError):
    """The worker was lost while the task may have been running, and its policy forbids a second run."""

    def __init__(self, task_id: str, *, worker: str) -> None:
        self.task_id = task_id
        self.worker = worker
        super().__init__(
            f'task {task_id} was on {worker} when that was lost: it may or may not have run. Retry(unknown="never") '
            'forbids another attempt; find out at its target, or use a key and unknown="retry"'
        )


class WorkerLostError(TaskError):
    """The task's worker was lost on its last attempt."""

    def __init__(self, task_id: str, *, worker: str, attempts: int) -> None:
        self.task_id = task_id
        self.worker = worker
        self.attempts = attempts
        super().__init__(
            f"task {task_id} lost its worker {worker} on attempt {attempts}, its last; raise Retry(attempts=...)"
        )


class PoisonTaskError(TaskError):
    """The task killed its worker every time it ran alone, so it was set aside."""

    def __init__(self, task_id: str, *, deaths: int, function: str) -> None:
        self.task_id = task_id
        self.deaths = deaths
        self.function = function
        super().__init__(
            f"task {task_id} ({function}) ran alone and its worker died {deaths} times: set aside. Look at it with "
            f"`supervisor events \"from task_attempts where task_id = '{task_id}'\"`; poison_after sets the limit"
        )


class TaskPayloadError(TaskError):
    """A function, an argument or a result cannot travel between processes."""

    def __init__(self, task_id: str, *, what: str, reason: str) -> None:
        self.task_id = task_id
        self.what = what
        self.reason = reason
        super().__init__(
            f"task {task_id}: its {what} cannot travel to another process ({reason}). Open files, locks, sockets and "
            "generators do not pickle: create them inside the function, or pass what is needed to create them"
        )


class QueueFullError(TaskError):
    """The caller's queue holds as many waiting tasks as it may."""

    def __init__(self, limit: int, *, pool: str) -> None:
        self.task_id = ""
        self.limit = limit
        self.pool = pool
        super().__init__(
            f"{limit} tasks already wait for pool {pool!r}; the task was not accepted. Wait for results, submit with "
            'on_full="wait", enlarge the pool, or raise tasks.queue_limit'
        )


class EventLogError(SupervisorError):
    """The event log cannot be opened, read or written."""

    def __init__(self, path: str, *, reason: str, remedy: str) -> None:
        self.path = path
        self.reason = reason
        self.remedy = remedy
        super().__init__(f"event log {path}: {reason}. {remedy}")


class EventLogClosedError(EventLogError):
    """The log's writer has stopped; its next incarnation takes over."""

    def __init__(self, path: str) -> None:
        super().__init__(path, reason="it is closed", remedy="Send again to the writer's next incarnation")


class WriterUnavailableError(EventLogError):
    """The log's writer did not answer in time: it is being replaced, or out of reach."""

    def __init__(self, *, patience_s: float, last_error: str) -> None:
        self.patience_s = patience_s
        self.last_error = last_error
        super().__init__(
            "(its writer)",
            reason=f"no answer within {patience_s:g} s; last: {last_error}",
            remedy="Try again; `supervisor ps` shows whether the writer runs",
        )


class QueryRefusedError(SupervisorError):
    """The statement is not one that readers may run on the event log."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"query refused: {reason}. Exactly one SELECT (or EXPLAIN) that changes nothing is allowed")


class CheckpointError(SupervisorError):
    """The base of errors about a child's checkpoints."""

    key: str


class CheckpointMismatchError(CheckpointError):
    """The newest checkpoint belongs to another class, or to another version of its state; it was not restored."""

    def __init__(self, key: str, *, found: str, expected: str, remedy: str = "") -> None:
        self.key = key
        self.found = found
        self.expected = expected
        self.remedy = remedy or (
            "It is taken up only by the class and checkpoint_version that wrote it: while restore() reads earlier "
            "forms, keep the version; to begin without it, give the child another name or checkpoint_path, or delete it"
        )
        super().__init__(f"{key}: its checkpoint is {found}, expected is {expected}. {self.remedy}")


class CheckpointStoreError(CheckpointError):
    """A checkpoint could not be written or read: the store fails or cannot be reached."""

    def __init__(self, key: str, *, store: str, reason: str, remedy: str) -> None:
        self.key = key
        self.store = store
        self.reason = reason
        self.remedy = remedy
        super().__init__(f"{key}: its checkpoints in {store}: {reason}. {remedy}")


class CheckpointTooLargeError(CheckpointStoreError):
    """A child's state is larger than the event log takes."""

    def __init__(self, key: str, *, size_bytes: int, limit_bytes: int) -> None:
        self.size_bytes = size_bytes
        self.limit_bytes = limit_bytes
        super().__init__(
            key,
            store="the event log",
            reason=f"it has {size_bytes} bytes, and the log takes {limit_bytes} at most",
            remedy="Give the child a checkpoint_path (any fsspec folder, as s3://bucket/folder), or let its "
            "checkpoint() return less",
        )


class AdministrationError(SupervisorError):
    """A change of the tree was refused.

    Attributes:
        subject: The key or path that it was about.
        problem: Why, in a word: already_started, already_present, running, restarting, not_found, given_up, no_group,
            not_a_pool, stopping, protected, keeps_no_state, not_running, takes_no_standbys, shares_process,
            shares_elsewhere, ends_nothing, name_of_a_member, no_room.
    """

    def __init__(self, subject: str, *, problem: str, detail: str, remedy: str) -> None:
        self.subject = subject
        self.problem = problem
        self.detail = detail
        said = f" ({detail})" if detail else ""
        super().__init__(f"{subject}: {problem.replace('_', ' ')}{said}; {remedy}")


class LeaderUnreachableError(SupervisorError):
    """No leader answered a request in time; it may still be carried out."""

    def __init__(self, supervisor: str, *, what: str, waited_s: float) -> None:
        self.supervisor = supervisor
        self.what = what
        self.waited_s = waited_s
        super().__init__(
            f"supervisor {supervisor!r} did not answer about {what} within {waited_s:g} s; the change may still be "
            "made. See `supervisor status`, then ask again"
        )
