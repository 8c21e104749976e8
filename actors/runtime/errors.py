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
        super().__init__(f"event log {path}: {reason}. {remedy}")


class QueryRefusedError(SupervisorError):
    """The statement is not one that readers may run on the event log."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"query refused: {reason}. Exactly one SELECT (or EXPLAIN) that changes nothing is allowed")
