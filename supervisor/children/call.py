"""One call, and what the call machines want done with it. Pure.

The machines work the commands off in the order given; whoever carries them out keeps the order of the sends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actors.child.protocol import CallHeader
    from actors.recovery.retry import Retry


@dataclass(slots=True, eq=False)
class Call:
    """A call from when it is made to its answer.

    Attributes:
        response: What the caller holds; the machines never look at it.
        timeout_s: From when it was made, seconds.
        deadline_at: When its time is up, monotonic seconds; without a `timeout_s` it says nothing.
        number: Its place among this client's calls; 0 until it is first sent.
        incarnation: Where it was last sent to; 0: nowhere.
        sending: How often it was sent, over all its numbers.
        stamp: When it was last sent, as a count of all sends.
        refusals: How often the incarnation has refused it.
        in_flight: It was sent, and neither answered nor refused.
        unsure: It may have run where it was last sent to.
        attempts: Attempts used up: incarnations lost under it, and exceptions it was tried again on.
        previous_wait_s: The wait before its last attempt, seconds.
        over: The caller has its answer, or wants none any more.
        delivered: Items of a stream that the caller has.
    """

    method: str
    payload: bytes
    refs: Sequence[Any]
    retry: Retry
    timeout_s: float | None = None
    streaming: bool = False
    resume: bool = False
    response: Any = None
    deadline_at: float = 0.0
    number: int = 0
    incarnation: int = 0
    sending: int = 0
    stamp: int = 0
    refusals: int = 0
    in_flight: bool = False
    unsure: bool = False
    attempts: int = 0
    previous_wait_s: float = 0.0
    over: bool = False
    delivered: int = 0

    def awaits(self, sent: Sent) -> bool:
        """Whether this is its last sending, and on its way."""
        return self.in_flight and self.sending == sent.sending


class Sent(NamedTuple):
    """Which sending an answer belongs to."""

    key: str
    incarnation: int
    number: int
    sending: int


class SendCall(NamedTuple):
    """Send the call to the actor named `host`."""

    call: Call
    host: str
    sent: Sent
    header: CallHeader


class ResolveCall(NamedTuple):
    """The call was answered with this value (a stream: with its first item)."""

    call: Call
    payload: bytes
    refs: Sequence[Any]


class FailCall(NamedTuple):
    """The call has failed."""

    call: Call
    error: BaseException


class GiveBack(NamedTuple):
    """The call is free to go to another member of the pool."""

    call: Call


class LookOut(NamedTuple):
    """A newer view is to be expected: look for it often."""

    key: str


Command = SendCall | ResolveCall | FailCall | GiveBack | LookOut
