"""What a successor must know of a breaker: from its predecessor's copy, from what the processes hold, or the log. Pure.

No instant is in it, only durations: it crosses processes, hosts and restarts of the whole cluster.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from actors.breaker.published import Published

if TYPE_CHECKING:
    from actors.breaker.messages import Cause
    from actors.breaker.settings import BreakerSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLease:
    """A permit that is out: as `leases.Lease`, with the seconds that are left of it."""

    permit: int
    holder: str
    request: int
    generation: int
    left_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A breaker's state at one moment.

    Attributes:
        published: What its processes were told, with the wait that was left.
        settings: Those in force.
        leases: The permits that are known to be out.
        opened_by: What opened it last, if that is known.
        opened_ago_s: How long ago that was, seconds.
        overridden_by: Who asked for the state that it is in and why, if somebody did.
    """

    published: Published
    settings: BreakerSettings
    leases: tuple[KeptLease, ...] = ()
    opened_by: Cause | None = None
    opened_ago_s: float = 0.0
    overridden_by: Cause | None = None

    def aged(self, elapsed_s: float) -> Kept:
        """The same, so much later; time that ran backwards is none (a log's times are wall times, and those may)."""
        passed_s = max(0.0, elapsed_s)
        leases = (replace(lease, left_s=lease.left_s - passed_s) for lease in self.leases)
        return replace(
            self,
            published=replace(self.published, wait_s=max(0.0, self.published.wait_s - passed_s)),
            leases=tuple(lease for lease in leases if lease.left_s > 0),
            opened_ago_s=self.opened_ago_s + passed_s,
        )


def newest(copies: Iterable[Kept]) -> Kept | None:
    """The latest state among copies of one moment, with the leases that any of them knows; None without copies.

    Of copies of one state the furthest counts: the later step of the ramp, the shorter wait that is left (whoever heard
    of it late began to count late, or has not heard what the user's function said).
    """
    known = list(copies)
    if not known:
        return None
    latest = max(known, key=lambda copy: (*order_of(copy.published), -copy.published.wait_s))
    leases = {lease.permit: lease for copy in known for lease in copy.leases}
    same = [copy for copy in known if copy.published.generation == latest.published.generation]
    told = next((copy for copy in same if copy.opened_by is not None), latest)
    return replace(
        latest,
        leases=tuple(leases.values()),
        opened_by=told.opened_by,
        opened_ago_s=told.opened_ago_s,
        overridden_by=next((copy.overridden_by for copy in same if copy.overridden_by is not None), None),
    )


def order_of(published: Published) -> tuple[int, int, int]:
    """Of two copies of one breaker the later one is greater."""
    return (published.generation, published.rules, published.step)
