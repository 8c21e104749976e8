"""Named places in our own code where an experiment may put a fault: latency, an error, no answer, a hang.

A point that is off costs its caller one look into an empty mapping, and no call:

    if fault_points.ON:
        pass_point("breaker.call", name)

`ON` is the mapping itself, of which every process has its own. It is filled by `put` only, and what is put ends by
itself at an instant of this host's monotonic clock: no undo can be forgotten. What happens to one call is decided here
and done in `fault_passing`. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal

from actors.runtime.errors import SupervisorError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

Kind = Literal["latency", "error", "unavailable", "hang"]

FAULTS_MAX = 100
"""Faults that may be on in one process."""


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
    """A chaos experiment made the other side of this call unavailable."""


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
    message: str = ""
    error: type[Exception] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What happens to one call: it waits, and then fails or goes on."""

    wait_s: float = 0.0
    raises: Exception | None = None


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


def decide(on: Mapping[str, PointFault], point: str, subject: str, *, now: float, rng: Random) -> Effect | None:
    """What happens to a call of `subject` that passes `point` at `now`; None: nothing.

    Several faults add up: it waits for all of them, and the first that fails it decides how.
    """
    wait_s = 0.0
    raises: Exception | None = None
    for fault in list(on.values()):
        if fault.point != point or fault.until <= now or not fnmatchcase(subject, fault.subject):
            continue
        if fault.share < 1 and rng.random() >= fault.share:
            continue
        match fault.kind:
            case "latency":
                wait_s += fault.delay_s + fault.jitter_s * rng.random()
            case "hang":
                wait_s = max(wait_s, fault.until - now)
            case "error":
                raises = raises or _error(fault, subject)
            case "unavailable":
                raises = raises or InjectedUnavailableError(
                    point, subject=subject, run=fault.run, message="it is unavailable"
                )
    return Effect(wait_s=wait_s, raises=raises) if wait_s or raises is not None else None


def _error(fault: PointFault, subject: str) -> Exception:
    if fault.error is None:
        return InjectedFaultError(fault.point, subject=subject, run=fault.run, message=fault.message)
    return fault.error(fault.message or "injected by a chaos experiment")
