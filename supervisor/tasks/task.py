"""One task on its way: what it is, how often it was sent, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from actors.recovery.retry import Retry
from supervisor.tasks.policy import Policy

OutcomeKind = Literal["done", "failed", "timeout", "cancelled", "poison", "unknown", "lost"]

_MASK = (1 << 64) - 1
_SPAN_STEP = 0x9E3779B97F4A7C15
"""An odd constant (2^64 / golden ratio), so that a task's attempts get distinct span ids without drawing each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Callee:
    """What a task calls: known to workers by `digest`, to the pace book and to people by `name`, sent as `data`."""

    digest: bytes
    name: str
    data: bytes = b""


class Task:
    """One task of one caller, from its submit to its end. Mutable and slotted: there are many."""

    __slots__ = (
        "arguments",
        "attempt",
        "attempt_us",
        "callee",
        "charged",
        "deadline_at",
        "deaths",
        "fallback",
        "future",
        "key",
        "name",
        "number",
        "parent_span_id",
        "policy",
        "previous_wait_s",
        "refs",
        "settled",
        "solo",
        "source",
        "span_id",
        "submitted_us",
        "task_id",
        "ticket",
        "trace_id",
        "unproven",
    )

    def __init__(  # noqa: PLR0913 - a record; every argument is a field
        self,
        *,
        number: int,
        task_id: str,
        key: str | None,
        name: str | None = None,
        callee: Callee,
        arguments: bytes,
        refs: Sequence[Any],
        policy: Policy,
        deadline_at: float | None = None,
        fallback: Callee | None = None,
        future: Any = None,
        submitted_us: int = 0,
        trace_id: int = 1,
        span_id: int = 1,
        parent_span_id: int = 0,
    ) -> None:
        self.number = number
        self.task_id = task_id
        self.key = key
        self.name = callee.name if name is None else name
        self.callee = callee
        self.arguments = arguments
        self.refs = refs
        self.policy = policy
        self.deadline_at = deadline_at
        self.fallback = fallback
        self.future = future
        self.submitted_us = submitted_us
        self.trace_id = trace_id
        self.span_id = span_id
        self.parent_span_id = parent_span_id
        self.attempt = 0
        self.charged = 0
        self.deaths = 0
        self.solo = policy.retry.unknown == "never"
        self.settled = False
        self.previous_wait_s = 0.0
        self.attempt_us = 0
        self.source: Any = None
        self.unproven = False
        self.ticket: int | None = None

    @property
    def retry(self) -> Retry:
        return self.policy.retry

    @property
    def runs_fallback(self) -> bool:
        """Whether its own attempts are used up, and the policy's fallback runs in their place."""
        return self.policy.fallback is not None and self.fallback is None

    @property
    def attempt_span_id(self) -> int:
        """The span id of the current attempt."""
        return (self.span_id + self.attempt * _SPAN_STEP) & _MASK or 1


class Outcome(NamedTuple):
    """How one attempt, and with it perhaps the task, ended.

    Attributes:
        kind: "done", or what went wrong.
        payload: The pickled result when done.
        refs: The result's ObjectRefs.
        error: The exception otherwise.
        run_us: How long the user's code ran, microseconds; 0 when unknown.
        worker: The actor that ran it, or "".
    """

    kind: OutcomeKind
    payload: bytes = b""
    refs: tuple[Any, ...] = ()
    error: BaseException | None = None
    run_us: int = 0
    worker: str = ""
