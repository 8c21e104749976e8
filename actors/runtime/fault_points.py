"""Named places in our own code where an experiment may put a fault: latency, an error, no answer, a hang.

A point that is off costs its caller one look into an empty mapping, and no call:

    if fault_points.ON:
        pass_point(SERVICE_CALL, "health")

`ON` is the mapping itself, of which every process has its own. It is filled by `put` only, and what is put ends by
itself at an instant of this host's monotonic clock: no undo can be forgotten. What happens to one call is decided here
and done in `fault_passing`; `fault_control` is how an experiment comes to a process. Pure.

A call goes through three stages, and each kind of fault belongs to one of them:

    --arrives: unavailable, lost_request--> runs: latency, hang, error, exit--> is answered: lost_reply-->
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal

from actors.runtime.errors import SupervisorError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

Kind = Literal["latency", "error", "unavailable", "hang", "lost_request", "lost_reply", "exit", "skew"]

ARRIVES: frozenset[Kind] = frozenset(("unavailable", "lost_request"))
"""What keeps a call from its callee: nothing of it has run."""

RUNS: frozenset[Kind] = frozenset(("latency", "hang", "error", "exit"))
"""What happens to it there."""

REPLIES: frozenset[Kind] = frozenset(("lost_reply",))
"""What happens to its answer: it has run, and nobody is told."""

CHILD_CALL = "child.call"
"""Calls of a child (subject `child/<name>`), batches and tasks of a worker (`worker/<name>`)."""

BREAKER_REPORT = "breaker.report"
"""What processes tell a breaker's owner; subject `breaker/<name>`."""

SERVICE_CALL = "service.call"
"""Changes and questions; subject `health`, `healer`, `degradation`, `notifier`."""

EVENT_LOG_APPEND = "event_log.append"
"""Batches of rows; subject `event_log`."""

SUPERVISOR_CALL = "supervisor.call"
"""Wishes, views and plans asked of a leader or of a subtree's; subject `supervisor`."""

DEPENDENCY = "dependency"
"""Requests behind a breaker; the subject is the host, and its port if it has one."""

CLOCK = "clock"
"""What this process takes for wall time; subject `clock`."""

POINTS = (CHILD_CALL, BREAKER_REPORT, SERVICE_CALL, EVENT_LOG_APPEND, SUPERVISOR_CALL, DEPENDENCY, CLOCK)

FAULTS_MAX = 100
"""Faults that may be on in one process."""

LEFT_S_MAX = 1_800.0
"""No fault is put for longer, seconds."""


class InjectedFaultError(SupervisorError):
    """A chaos experiment made this call fail; the message says which and where."""

    def __init__(self, point: str, *, subject: str, run: str, message: str = "") -> None:
        self.point = point
        self.subject = subject
        self.run = run
        self.message = message
        told = message or "injected by a chaos experiment"
        super().__init__(f"{subject}: {told} (at {point}, run {run}); `supervisor chaos stop {run}` ends it")


class InjectedUnavailableError(InjectedFaultError, ConnectionError):
    """A chaos experiment made the other side of this call unavailable, or took the request or the reply away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointFault:
    """A fault at a point.

    Attributes:
        fault_id: Its name, run and all.
        run: The run that it belongs to.
        point: Where: the name of a point.
        subject: Whose calls: a name, or a pattern as `child/cart*`.
        kind: What.
        until: When it is over, monotonic seconds of this host.
        share: Of the calls that pass, 0 to 1.
        delay_s: Latency: so much longer, seconds. A hang lasts to `until`.
        jitter_s: Latency: up to so much more, seconds.
        skew_s: Skew: the wall clock is off by this, seconds.
        message: Error: what it says.
        error: Error: the class that is raised, called with the message; None: InjectedFaultError.
    """

    fault_id: str
    run: str
    point: str
    subject: str
    kind: Kind
    until: float
    share: float = 1.0
    delay_s: float = 0.0
    jitter_s: float = 0.0
    skew_s: float = 0.0
    message: str = ""
    error: type[Exception] | None = None


@dataclass(slots=True, kw_only=True)
class Effect:
    """What happens to one call: it waits, and then ends the process, fails, or goes on.

    Attributes:
        hits: The faults that act on it.
        waits: For which of them it waits, and how long, seconds; no longer than each is on.
        ends: The process ends.
        raises: What is raised.
        raised_by: The fault that it is raised for, the first that fails the call.
    """

    hits: list[str] = field(default_factory=list[str])
    waits: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])
    ends: bool = False
    raises: Exception | None = None
    raised_by: str = ""

    @property
    def wait_s(self) -> float:
        """How long it waits in all, seconds."""
        return sum(wait_s for _, wait_s in self.waits)


ON: dict[str, PointFault] = {}
"""The faults that are on in this process, by their id. Read it freely; change it by `put` and `take`."""


def put(fault: PointFault) -> bool:
    """Put a fault on; False when as many are on as may be."""
    if fault.fault_id not in ON and len(ON) >= FAULTS_MAX:
        return False
    ON[fault.fault_id] = fault
    return True


def take(fault_id: str) -> bool:
    """Take a fault off; False when it was not on."""
    return ON.pop(fault_id, None) is not None


def sweep(now: float) -> tuple[str, ...]:
    """Take off what is over; the ids of what was."""
    over = tuple(fault_id for fault_id, fault in list(ON.items()) if fault.until <= now)
    for fault_id in over:
        ON.pop(fault_id, None)
    return over


def decide(
    on: Mapping[str, PointFault],
    point: str,
    subject: str,
    *,
    now: float,
    rng: Random,
    kinds: frozenset[Kind] = ARRIVES | RUNS,
) -> Effect | None:
    """What happens to a call of `subject` that passes `point` at `now`; None: nothing.

    Several faults add up: it waits for all of them, and the first that fails it decides how.

    Args:
        on: The faults that are on.
        point: Where.
        subject: Whose call.
        now: Monotonic seconds.
        rng: Which calls are hit, of those that a share says.
        kinds: Those of the stage that the call is in.
    """
    effect: Effect | None = None
    for fault in list(on.values()):
        if fault.kind not in kinds or fault.point != point or fault.until <= now:
            continue
        if not fnmatchcase(subject, fault.subject) or (fault.share < 1 and rng.random() >= fault.share):
            continue
        effect = effect or Effect()
        effect.hits.append(fault.fault_id)
        _add(effect, fault, subject, now=now, rng=rng)
    return effect


def skew_of(on: Mapping[str, PointFault], *, now: float) -> tuple[float, tuple[str, ...]]:
    """How far this process's wall clock is off at `now`, seconds, and by which faults."""
    acting = [fault for fault in list(on.values()) if fault.kind == "skew" and now < fault.until]
    return sum(fault.skew_s for fault in acting), tuple(fault.fault_id for fault in acting)


def _add(effect: Effect, fault: PointFault, subject: str, *, now: float, rng: Random) -> None:
    match fault.kind:
        case "latency":
            effect.waits.append((fault.fault_id, fault.delay_s + fault.jitter_s * rng.random()))
        case "hang":
            effect.waits.append((fault.fault_id, fault.until - now))
        case "exit":
            effect.ends = True
        case "error":
            _fail(effect, fault, _error(fault, subject))
        case "unavailable":
            _fail(effect, fault, _gone(fault, subject, "it is unavailable"))
        case "lost_request":
            _fail(effect, fault, _gone(fault, subject, "the request did not arrive"))
        case "lost_reply":
            _fail(effect, fault, _gone(fault, subject, "the reply did not arrive"))
        case "skew":
            pass  # it acts on the clock, see `skew_of`


def _fail(effect: Effect, fault: PointFault, error: Exception) -> None:
    if effect.raises is None:
        effect.raises, effect.raised_by = error, fault.fault_id


def _gone(fault: PointFault, subject: str, what: str) -> Exception:
    return InjectedUnavailableError(fault.point, subject=subject, run=fault.run, message=what)


def _error(fault: PointFault, subject: str) -> Exception:
    if fault.error is None:
        return InjectedFaultError(fault.point, subject=subject, run=fault.run, message=fault.message)
    return fault.error(fault.message or "injected by a chaos experiment")
