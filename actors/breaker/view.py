"""A breaker's state at one moment, for people and their metrics: everything that `insight` is made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actors.breaker.messages import Cause
    from actors.breaker.published import Published
    from actors.breaker.settings import BreakerSettings
    from actors.breaker.votes import Votes


@dataclass(slots=True, kw_only=True)
class Totals:
    """Counts of one life of the owner.

    Attributes:
        successes: Calls that succeeded.
        failures: Calls that failed.
        slow: Calls that were slow, among both.
        neutral: Calls that were ignored or cancelled.
        refused: Calls that were not let through.
        stale: Outcomes of an earlier generation, which changed nothing.
        permits_granted: Probes that were let through.
        permits_refused: Requests to probe that were not.
        permits_expired: Probes that did not end in time.
        permits_late: Permits given back that were not out any more, or were another's.
        openings: How often it opened.
    """

    successes: int = 0
    failures: int = 0
    slow: int = 0
    neutral: int = 0
    refused: int = 0
    stale: int = 0
    permits_granted: int = 0
    permits_refused: int = 0
    permits_expired: int = 0
    permits_late: int = 0
    openings: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerView:
    """A breaker at one moment.

    Attributes:
        published: State, generation, share, openings in a row, and the wait that is left now.
        settings: Those in force.
        since_s: How long it has been in this state, seconds.
        state_left_s: How long until time alone changes the state or the step, seconds; None if it never does.
        calls: Calls in the window.
        failure_rate: Fraction of those that failed.
        slow_rate: Fraction of those that were slow.
        failures_in_a_row: The run that the latest call is in.
        nearness: How near it is to opening, 0 to 1; see `rules.nearness`.
        would_be_open: In shadow: whether it would be open.
        opened_by: What opened it last, or would have in shadow; None before.
        opened_ago_s: How long ago that was, seconds.
        overridden_by: Who asked for the state that it is in and why, if somebody did.
        probes_succeeded: While half-open: probes that succeeded, of `probes_required`.
        probes_failed: While half-open: probes that failed.
        probes_required: Successes that close it.
        permits_out: Probes that run.
        voters: Reporters that have opened themselves.
        votes: How many of how many that is, as the settings count them; None where only the owner knows.
        totals: Counts of this life of the owner.
        durations: How long the calls of the window took, as buckets and counts; see `latency`.
        log_unread: The log was silent when its owner began, and is still asked: it may know what others asked for.
    """

    published: Published
    settings: BreakerSettings
    since_s: float
    state_left_s: float | None
    calls: int
    failure_rate: float
    slow_rate: float
    failures_in_a_row: int
    nearness: float
    would_be_open: bool
    opened_by: Cause | None
    opened_ago_s: float
    overridden_by: Cause | None
    probes_succeeded: int
    probes_failed: int
    probes_required: int
    permits_out: int
    voters: tuple[str, ...]
    votes: Votes | None
    totals: Totals
    durations: tuple[tuple[int, int], ...]
    log_unread: bool = False
