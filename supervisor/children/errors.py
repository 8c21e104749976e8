"""What can become of a call to a supervised child, apart from its own exceptions."""

from __future__ import annotations

from actors.runtime.errors import ChildError, OutcomeUnknownError, SupervisorError, TaskPayloadError


class ChildGoneError(ChildError):
    """The child is gone for good: given up, deleted, stopped, or it never had anything to run."""

    def __init__(self, key: str, reason: str) -> None:
        self.key = key
        self.reason = reason
        super().__init__(f"{key} is gone: {reason}. Look at `supervisor status`; restart it to call it again")


class ChildLostError(ChildError):
    """The call's incarnation was lost on its last attempt."""

    def __init__(self, key: str, *, method: str, attempts: int) -> None:
        self.key = key
        self.method = method
        self.attempts = attempts
        super().__init__(
            f"{key} was lost while {method}() was there, on attempt {attempts}, its last. If {method}() itself ends "
            "the process, mend that; else raise Retry(attempts=...)"
        )


class ChildExitedError(ChildError):
    """The method ended the child by itself, with sys.exit or ray.actor.exit_actor."""

    def __init__(self, key: str, *, method: str, exit_class: str) -> None:
        self.key = key
        self.method = method
        self.exit_class = exit_class
        super().__init__(
            f"{method}() ended {key} by itself (exit class {exit_class}); its restart type says whether it comes back. "
            "The call is not made again"
        )


class CallTimeoutError(ChildError, TimeoutError):
    """The call was not answered within its `timeout_s`.

    Attributes:
        sent: Whether it was under way, so that it may run, or have run.
    """

    def __init__(self, key: str, *, method: str, limit_s: float, sent: bool) -> None:
        self.key = key
        self.method = method
        self.limit_s = limit_s
        self.sent = sent
        where = "it may have run" if sent else "it was never sent: the child was not there, or busy with earlier calls"
        super().__init__(f"{key}: {method}() was not answered within its timeout_s of {limit_s:g} s; {where}")


class CallQueueFullError(ChildError):
    """As many calls of this process wait for the child as may."""

    def __init__(self, key: str, *, limit: int) -> None:
        self.key = key
        self.limit = limit
        super().__init__(
            f"{limit} calls of this process to {key} are unanswered; this one was not made. Wait for answers first"
        )


class CallOutcomeUnknownError(OutcomeUnknownError):
    """Nobody knows whether the call had its effect, and it must not be made again."""

    def __init__(self, key: str, *, method: str, worker: str, reason: str) -> None:
        self.task_id = ""
        self.key = key
        self.method = method
        self.worker = worker
        self.reason = reason
        SupervisorError.__init__(self, f"{key}: {method}() at {worker}: {reason}. Find out at the child itself")


class CallPayloadError(TaskPayloadError):
    """An argument, an item or a result of a call cannot travel between processes."""

    def __init__(self, key: str, *, method: str, what: str, reason: str) -> None:
        self.task_id = ""
        self.key = key
        self.method = method
        self.what = what
        self.reason = reason
        SupervisorError.__init__(
            self,
            f"{key}: the {what} of {method}() cannot travel to another process ({reason}). Open files, locks, sockets "
            "and generators do not pickle: pass what is needed to create them",
        )
