"""A breaker for people as one process sees it: its owner does not answer, or the process has opened itself. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from actors.breaker.insight import Explanation, explain, health_score, percentiles, success_rate
from actors.breaker.messages import Cause
from actors.breaker.rules import nearness
from actors.breaker.view import BreakerView, Totals

if TYPE_CHECKING:
    from actors.breaker.gate import Gate
    from actors.breaker.published import State
    from actors.breaker.votes import Votes


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerMetrics:
    """A breaker's numbers at one moment: the cluster's, or this process's own while the owner does not answer.

    Attributes:
        name: The breaker.
        state: What this process sees.
        owner_answered: Whether these are the cluster's numbers.
        health_score: 0 to 100, see `insight.health_score`.
        calls: Calls in the window.
        failure_rate: Fraction of those that failed.
        slow_rate: Fraction of those that were slow.
        success_rate: Fraction of all counted calls of the owner's life that succeeded; None if none counted.
        percentiles: Response times of the window by fraction, seconds; None each without `slow_call_s`.
        totals: Counts of the owner's life: `refused` calls, `permits_refused`, `slow`, and the rest.
        votes: How many have opened themselves, of how many, and how many are needed; None without the owner.
        untold: Calls of this process that its owner was never told of.
    """

    name: str
    state: State
    owner_answered: bool
    health_score: int
    calls: int
    failure_rate: float
    slow_rate: float
    success_rate: float | None
    percentiles: dict[float, float | None]
    totals: Totals
    votes: Votes | None
    untold: int


def view_here(gate: Gate, now: float, cause: Cause | None) -> BreakerView:
    """What this process knows without its owner.

    Args:
        gate: Its gate.
        now: The moment, monotonic seconds.
        cause: What began the state that the owner told last, if that is known.
    """
    window, opening = gate.window, gate.opening
    window.settle(now)
    left_s = max(0.0, gate.retry_after_s(now)) if gate.published.state == "open" or opening is not None else 0.0
    published = replace(gate.published, wait_s=left_s)
    if opening is not None:
        published = replace(published, state=gate.state(now), openings=opening.openings)
        cause = Cause(kind="tripped", detail=str(opening.trip), trip=opening.trip)
    probation = None if opening is None else opening.probation
    return BreakerView(
        published=published,
        settings=gate.settings,
        since_s=0.0,
        state_left_s=left_s or None,
        calls=window.calls,
        failure_rate=window.failure_rate,
        slow_rate=window.slow_rate,
        failures_in_a_row=window.run.length,
        nearness=nearness(window, gate.settings),
        would_be_open=False,
        opened_by=cause if published.state in ("open", "half_open", "ramping") else None,
        opened_ago_s=0.0,
        overridden_by=cause if published.state in ("forced_open", "disabled", "shadow") else None,
        probes_succeeded=0 if probation is None else probation.successes,
        probes_failed=0 if probation is None else probation.failures,
        probes_required=gate.settings.half_open_permits if probation is None else probation.required,
        permits_out=0,
        voters=(),
        votes=None,
        totals=Totals(),
        durations=(),
    )


def score_here(gate: Gate, view: BreakerView, now: float) -> int:
    """The cluster's score, or this process's if that is worse."""
    score = health_score(view)
    return score if gate.opening is None else min(score, health_score(view_here(gate, now, None)))


def explain_here(gate: Gate, view: BreakerView, now: float) -> Explanation:
    """Why it is as it is for this process's calls."""
    if gate.opening is None:
        return explain(view)
    own = explain(view_here(gate, now, None))
    why = f"this process has opened itself, the cluster's breaker is {view.published.state}: {gate.opening.trip}"
    return replace(own, why=why, votes=view.votes, calls=own.calls or explain(view).calls)


def metrics_here(name: str, gate: Gate, view: BreakerView, now: float, *, answered: bool) -> BreakerMetrics:
    """The numbers of a view, beside what this process knows itself."""
    return BreakerMetrics(
        name=name,
        state=gate.state(now),
        owner_answered=answered,
        health_score=score_here(gate, view, now),
        calls=view.calls,
        failure_rate=view.failure_rate,
        slow_rate=view.slow_rate,
        success_rate=success_rate(view),
        percentiles=percentiles(view),
        totals=view.totals,
        votes=view.votes,
        untold=gate.reports.dropped,
    )
