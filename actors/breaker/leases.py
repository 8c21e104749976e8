"""Permits of half-open breakers as leases: who holds which, until when; each is given back once. Pure.

    free --granted--> held --ended | holder died | expired--> free

A permit's number is never used again, so what is given back late, twice, or by somebody else frees nothing. A lease
outlives the state in which it was granted: a probe that runs still is a probe, and counts against the limit.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """One permit that is out.

    Attributes:
        permit: Its number, unique over all lives of the breaker.
        holder: The process that holds it.
        request: The holder's number of the request that it answers.
        generation: The breaker's generation in which it was granted.
        expires_at: When it is given to another, monotonic seconds.
    """

    permit: int
    holder: str
    request: int
    generation: int
    expires_at: float


class Leases:
    """The permits that are out.

    Attributes:
        shut_until: Nothing is granted before: leases of a predecessor that nobody knows may be out.
    """

    def __init__(self) -> None:
        self._by_permit: dict[int, Lease] = {}
        self.shut_until = float("-inf")

    def __len__(self) -> int:
        return len(self._by_permit)

    def __iter__(self):  # noqa: ANN204 - a dict's values
        return iter(self._by_permit.values())

    def is_shut(self, now: float) -> bool:
        """Whether unknown leases may still be out."""
        return now < self.shut_until

    def add(self, lease: Lease) -> None:
        """It is out from now on."""
        self._by_permit[lease.permit] = lease

    def find(self, holder: str, request: int) -> Lease | None:
        """What this request was granted, if it was and is still out: the answer may have been lost."""
        return next((lease for lease in self if lease.holder == holder and lease.request == request), None)

    def end(self, permit: int, holder: str) -> Lease | None:
        """Its holder gives it back; None when it is not out, or not this one's."""
        lease = self._by_permit.get(permit)
        if lease is None or lease.holder != holder:
            return None
        return self._by_permit.pop(permit)

    def drop_holder(self, holder: str) -> int:
        """The holder died; tells how many it gave back so."""
        held = [lease.permit for lease in self if lease.holder == holder]
        for permit in held:
            del self._by_permit[permit]
        return len(held)

    def expire(self, now: float) -> int:
        """Take back those whose time is over; tells how many."""
        if not self._by_permit:
            return 0
        over = [lease.permit for lease in self if lease.expires_at <= now]
        for permit in over:
            del self._by_permit[permit]
        return len(over)

    def next_at(self) -> float | None:
        """When the first one expires, monotonic seconds, or None."""
        if not self._by_permit:
            return None
        return min(lease.expires_at for lease in self)
