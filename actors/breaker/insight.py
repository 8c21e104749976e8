"""What a breaker's state means to people: a score, a few sentences, percentiles. Pure functions of a `BreakerView`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from actors.breaker.latency import Histogram

if TYPE_CHECKING:
    from actors.breaker.messages import Cause, Sample
    from actors.breaker.published import State
    from actors.breaker.view import BreakerView
    from actors.breaker.votes import Votes

PERCENTILES = (0.5, 0.9, 0.95, 0.99)

_CLOSED_LEAST = 50
_RAMPING_LEAST = 25
_OPEN_MOST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a breaker is in its state.

    Attributes:
        state: The state.
        why: What brought it there, in a sentence.
        next: What changes it, and when, in a sentence.
        closes_in_s: The soonest that it can be closed, seconds: if all probes succeed at once; None if time and calls
            alone do not close it, 0 if calls pass.
        opened_by: What opened it last, or would have in shadow; None if nothing is known.
        calls: Calls that opened it, the latest last, as far as they were told.
        votes: How many have opened themselves, of how many, and how many are needed; None without the owner.
        log_unread: The log is still asked for what somebody may have asked for before; until then this is what holds.
    """

    state: State
    why: str
    next: str
    closes_in_s: float | None
    opened_by: Cause | None
    calls: tuple[Sample, ...]
    votes: Votes | None = None
    log_unread: bool = False

    def __str__(self) -> str:
        lines = [f"{self.state}: {self.why}. {self.next}."]
        if self.votes is not None and (self.votes.agreed or self.votes.needed is not None):
            lines.append(f"  {self.votes}")
        if self.log_unread:
            lines.append("  The event log has not answered yet: an override that only it knows holds once it does")
        lines += (f"  {call.reporter}: {call.error}{_took(call)}" for call in self.calls)
        return "\n".join(lines)


def health_score(view: BreakerView) -> int:
    """How well what the breaker guards is, 0 to 100.

    Closed: 100, less up to 50 the nearer it is to opening; disabled: 100, since nothing else is known. Ramping: 25 to
    50, as much as it lets through. Half-open: 10 to 25, as much as its probes succeeded. Open: 0 to 10, as much of the
    wait is over. Forced open: 0. In shadow: as if closed, or 0 while it would be open.
    """
    state = view.published.state
    match state:
        case "disabled":
            return 100
        case "closed" | "shadow":
            return 0 if view.would_be_open else round(100 - (100 - _CLOSED_LEAST) * view.nearness)
        case "ramping":
            return round(_RAMPING_LEAST + (_CLOSED_LEAST - _RAMPING_LEAST) * view.published.share)
        case "half_open":
            return round(_OPEN_MOST + (_RAMPING_LEAST - _OPEN_MOST) * view.probes_succeeded / view.probes_required)
        case "open":
            wait_s = view.since_s + view.published.wait_s
            return round(_OPEN_MOST * view.since_s / wait_s) if wait_s > 0 else _OPEN_MOST
        case "forced_open":
            return 0
        case _:
            assert_never(state)


def explain(view: BreakerView) -> Explanation:
    """Which calls opened it, and when it closes."""
    opened = view.opened_by
    return Explanation(
        state=view.published.state,
        why=_why(view),
        next=_next(view),
        closes_in_s=_closes_in_s(view),
        opened_by=opened,
        calls=() if opened is None else opened.samples,
        votes=view.votes,
        log_unread=view.log_unread,
    )


def percentiles(view: BreakerView) -> dict[float, float | None]:
    """How long the fastest half, 90, 95 and 99 % of the window's calls took at most, seconds; None without any."""
    durations = Histogram(view.durations)
    return {fraction: durations.percentile(fraction) for fraction in PERCENTILES}


def success_rate(view: BreakerView) -> float | None:
    """The fraction of the calls in this owner's life that succeeded, of those that count; None if none did."""
    calls = view.totals.successes + view.totals.failures
    return view.totals.successes / calls if calls else None


def _why(view: BreakerView) -> str:
    state = view.published.state
    if view.overridden_by is not None:
        return view.overridden_by.detail
    opened = (
        "" if view.opened_by is None else f", after it opened {view.opened_ago_s:.1f} s ago ({view.opened_by.detail})"
    )
    match state:
        case "closed":
            failed = f"{view.failure_rate:.0%} of the last {view.calls} calls failed, {view.slow_rate:.0%} were slow"
            return f"calls pass; {failed}{opened}"
        case "open":
            reason = "its predecessor was" if view.opened_by is None else view.opened_by.detail
            return f"open for {view.since_s:.1f} s, {_ordinal(view.published.openings)} in a row: {reason}"
        case "half_open":
            done = f"{view.probes_succeeded} of {view.probes_required} probes succeeded, {view.permits_out} run"
            return f"probing for {view.since_s:.1f} s{opened}: {done}"
        case "ramping":
            steps = f"step {view.published.step + 1} of {len(view.settings.ramp)}"
            return f"{view.published.share:.0%} of the calls pass ({steps}){opened}"
        case "disabled" | "forced_open" | "shadow":
            return "asked for by somebody whom its predecessor knew"
        case _:
            assert_never(state)


def _next(view: BreakerView) -> str:
    state, left_s = view.published.state, view.state_left_s or 0.0
    match state:
        case "closed":
            return f"It is {view.nearness:.0%} of the way to opening"
        case "open":
            return f"It probes in {left_s:.1f} s"
        case "half_open":
            return f"It closes when enough probes succeed, and reopens in {left_s:.1f} s if they do not"
        case "ramping":
            return f"The next step is in {left_s:.1f} s; it closes in {_closes_in_s(view):.1f} s if calls go well"
        case "shadow":
            would = f"It would be open for {left_s:.1f} s more" if view.would_be_open else "It would be closed"
            return f"{would}; all calls pass until enable or reset"
        case "disabled" | "forced_open":
            return "It stays so until enable or reset"
        case _:
            assert_never(state)


def _closes_in_s(view: BreakerView) -> float | None:
    settings, left_s = view.settings, view.state_left_s or 0.0
    ramp_s = len(settings.ramp) * settings.ramp_step_s
    match view.published.state:
        case "open":
            return left_s + ramp_s
        case "half_open":
            return ramp_s
        case "ramping":
            return left_s + (len(settings.ramp) - 1 - view.published.step) * settings.ramp_step_s
        case "forced_open":
            return None
        case _:
            return 0.0


def _ordinal(number: int) -> str:
    return "the first time" if number == 1 else f"time {number}"


def _took(call: Sample) -> str:
    took = "" if call.duration_s is None else f" after {call.duration_s:.3g} s"
    return f"{took}, {call.ago_s:.1f} s before"
