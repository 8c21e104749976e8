"""What follows a bad end of a call: pure decisions about one call, apart from the traffic that the machines direct."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.recovery.backoff import delay_s
from supervisor.children.errors import CallOutcomeUnknownError, CallTimeoutError, ChildLostError

if TYPE_CHECKING:
    from random import Random

    from supervisor.children.call import Call


def failure_of_loss(call: Call, *, key: str, host: str, replayable: bool) -> BaseException | None:
    """The error that a call's lost incarnation means for it, or None when it may be sent to the next one.

    Args:
        call: It was sent there.
        key: The child.
        host: The lost incarnation, for the message.
        replayable: The child's remembered answers outlive its incarnations: a second sending has no second effect.
    """
    if call.retry.unknown == "never" and not replayable and call.unsure:
        reason = 'it was lost while the call was there, and unknown="never" forbids to make it again'
        return CallOutcomeUnknownError(key, method=call.method, worker=host, reason=reason)
    if call.attempts >= call.retry.attempts:
        return ChildLostError(key, method=call.method, attempts=call.attempts)
    return None


def rest_after(call: Call, error: BaseException, rng: Random) -> float | None:
    """Seconds to wait before a call that raised is made again, or None when it is not; counts the attempt."""
    retry = call.retry
    if not retry.allows(error) or call.attempts + 1 >= retry.attempts:
        return None
    call.attempts += 1
    call.previous_wait_s = delay_s(
        retry.backoff,
        failures=call.attempts,
        min_s=retry.min_s,
        max_s=retry.max_s,
        previous_s=call.previous_wait_s,
        rng=rng,
    )
    return call.previous_wait_s


def broken(call: Call, *, key: str) -> BaseException | None:
    """The error of a stream that broke after some items, or None when it may run again from the start."""
    if call.attempts >= call.retry.attempts:
        return ChildLostError(key, method=call.method, attempts=call.attempts)
    if call.resume or (call.delivered == 0 and call.retry.unknown == "retry"):
        return None
    reason = f"its stream broke after {call.delivered} items; options(resume=True) runs it again and passes over those"
    return CallOutcomeUnknownError(key, method=call.method, worker=key, reason=reason)


def forgotten(call: Call, *, key: str, host: str, replayable: bool) -> BaseException | None:
    """What becomes of a call that began and whose answer is remembered no more; None: it is made again.

    A stream's answers are never remembered; that it is asked for again is its loss. Counts the attempt.
    """
    if call.streaming and not replayable:
        call.attempts += 1
        return broken(call, key=key)
    reason = "it began, and its answer was lost and is not remembered any more"
    return CallOutcomeUnknownError(key, method=call.method, worker=host, reason=reason)


def timed_out(call: Call, *, key: str) -> CallTimeoutError:
    """The error of a call whose time is up."""
    return CallTimeoutError(key, method=call.method, limit_s=call.timeout_s or 0.0, sent=call.sending > 0)
