"""What a call is told that wants to pass a breaker. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from actors.breaker.published import State


@dataclass(frozen=True, slots=True)
class Admitted:
    """The call passes; tell what became of it with this ticket."""

    ticket: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The call does not pass.

    Attributes:
        state: What the process sees, see `Gate.state`.
        retry_after_s: When it may be otherwise, seconds.
        by_itself: The process opened itself, the cluster did not.
        owner_heard: Whoever lets probes through is heard; else nobody probes.
    """

    state: State
    retry_after_s: float
    by_itself: bool
    owner_heard: bool = True


@dataclass(frozen=True, slots=True)
class Ask:
    """The call passes if the owner grants this request a permit."""

    request: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """A probe's leave, to be given back by `Gate.end_permit`.

    Attributes:
        number: The owner's number of it; a negative one is the process's own.
        generation: The owner's generation in which it was granted.
        ticket: This process's ticket when it came.
        expires_at: It is still out then, whatever the messages took: counted from the question, monotonic seconds.
    """

    number: int
    generation: int
    ticket: int
    expires_at: float


Verdict = Admitted | Refused | Ask | Permit
