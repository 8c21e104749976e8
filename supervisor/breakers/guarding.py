"""Calls behind a breaker whose answer comes later: of tasks and of supervised children."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from actors.breaker.handle import BreakerHandle
    from actors.breaker.permit import Permit


def breaker_of(supervisor: str, name: str) -> BreakerHandle:
    """The breaker of this name in this process."""
    from actors.breaker.handle import linked_breaker  # noqa: PLC0415 - who uses no breaker does not load them
    from supervisor.breakers.process import link_of  # noqa: PLC0415 - the same

    return linked_breaker(link_of(supervisor), name)


def guarded(breaker: BreakerHandle, make: Callable[[], Any]) -> Any:
    """Make a call if the breaker lets it through, and tell it what became of the answer.

    Args:
        breaker: The breaker.
        make: Makes the call; returns the future of its answer.

    Raises:
        CircuitOpenError: It does not.
    """
    permit = breaker.acquire()
    try:
        answer = make()
    except BaseException:
        permit.cancel()  # it was not made
        raise
    answer.add_done_callback(lambda done: _end(permit, done))
    return answer


def guarded_stream(breaker: BreakerHandle, make: Callable[[], Any]) -> Any:
    """The same for a stream, which tells itself how its iteration ends.

    Raises:
        CircuitOpenError: It does not.
    """
    permit = breaker.acquire()
    try:
        stream = make()
    except BaseException:
        permit.cancel()  # it was not made
        raise
    stream.tell(permit)
    return stream


def _end(permit: Permit, done: Future[Any]) -> None:
    error = None if done.cancelled() else done.exception()
    if done.cancelled():
        permit.cancel()
    elif error is None:
        permit.success(done.result())
    else:
        permit.failure(error)
