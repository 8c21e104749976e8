"""Which responses are failures of the service that gave them, and which breaker a request goes through."""

from __future__ import annotations

from collections.abc import Callable

from actors.breaker.handle import BreakerHandle
from actors.breaker.permit import Permit

StatusRule = Callable[[int], bool]

TOO_MANY_REQUESTS = 429
ANSWERS = (501, 505)
"""Statuses of the 500s by which a server that works says that it has no such thing."""


def failed_status(status: int) -> bool:
    """A server that says it cannot answer now: 5xx, but for `ANSWERS`, and 429: too many requests."""
    return status == TOO_MANY_REQUESTS or (500 <= status <= 599 and status not in ANSWERS)  # noqa: PLR2004 - HTTP's


def breaker_of(breaker: BreakerHandle | Callable[[str], BreakerHandle], host: str) -> BreakerHandle:
    """The breaker for requests to a host."""
    return breaker if isinstance(breaker, BreakerHandle) else breaker(host)


def end_by_status(permit: Permit, status: int, failed: StatusRule) -> None:
    """A response came: its status decides."""
    if failed(status):
        permit.failure(f"HTTP {status}")
    else:
        permit.success()
