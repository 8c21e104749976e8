"""What one process decides by itself about a breaker: which call passes, and when to open without waiting. Pure.

    the owner says      closed, shadow, disabled   a call passes                        (`free`, unless self-opened)
                        ramping                    every n-th call passes
                        open, forced_open          none does
                        half_open                  who asks the owner, and gets a permit
    its own calls say   a rule is broken --> self-opened: see `self_opening`

Closed and open are decided here, from a few values, without a call to anybody. While the owner is lost, closed goes on
by the process's own window, open stays shut also when its wait is over, and nobody asks to probe. Where there will
never be an owner to ask, as in a forked child, who has opened itself recovers by probes that it grants itself.

Each call that passes has a ticket. A ticket from before the generation that holds says nothing; one from before this
process opened or recovered by itself is told to the owner and counts for nothing here.

A hot path need not call `admit`: while `free`, any call passes with `ticket`, and successes may be counted by the dozen
(`record_successes`). It is not thread-safe: whoever shares one guards it, and never over the user's call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.breaker import messages as m
from actors.breaker.outcome import SUCCESS, code_of
from actors.breaker.published import COUNTING, PASSING, Published, State
from actors.breaker.reports import Reports
from actors.breaker.rules import nearness, tripped
from actors.breaker.self_opening import SelfOpening
from actors.breaker.verdict import Admitted, Ask, Permit, Refused, Verdict
from actors.breaker.window import make_window

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actors.breaker.chance import Chance
    from actors.breaker.outcome import Outcome
    from actors.breaker.settings import BreakerSettings

ASK_AGAIN_S = 0.05
"""The first pause after a permit was refused, seconds; it doubles up to `ASK_AGAIN_S_MAX`."""

ASK_AGAIN_S_MAX = 1.0

URGENT = 0.5
"""A failure that leaves its own process's window so near to opening may open the cluster: it is told at once."""


class Gate:
    """One process's view of one breaker.

    Attributes:
        settings: Those in force.
        published: What the owner said last.
        free: Every call passes, and none needs to be asked about.
        counts: Outcomes matter.
        ticket: What a call that passes now is to be told with.
        alone: There is no owner to ask: who has opened itself grants its own probes.
        lost: The owner is not heard.
        stale: Outcomes that came too late to say anything.
        began: The first ticket that still says something.
        opening: The process's own opening, if it has opened itself.
        window: What its own calls said; the owner's is another.
        reports: What is to be told; to be taken by `take_reports`.

    Args:
        settings: Those in force.
        published: What the owner says.
        process: This process, in a text that no other has.
        rng: The source of chance.
        now: The moment, monotonic seconds.
        alone: There is no owner to ask, and will be none.
    """

    def __init__(
        self,
        settings: BreakerSettings,
        published: Published,
        *,
        process: str,
        rng: Chance,
        now: float,
        alone: bool = False,
    ) -> None:
        self.settings = settings
        self.published = published
        self.alone = alone
        self.ticket = 0
        self.lost = False
        self.stale = 0
        self._process = process
        self._rng = rng
        self._credit = rng.random()
        self._requests = 0
        self._held: dict[int, Permit] = {}
        self.reports = Reports(process)
        self._status: m.OpenedLocally | m.ClosedLocally | None = None
        self._wait_until = now + published.wait_s
        self._begin_anew()

    # -- what the owner says ----------------------------------------------------------------------------------------

    def follow(self, published: Published, settings: BreakerSettings, now: float) -> None:
        """The owner's word; one of an earlier generation is passed over.

        If a new owner goes on where the former one was, so does this process: its window stays and is told anew.
        """
        former = self.published
        if published.generation < former.generation:
            return
        self.published, self.settings = published, settings
        self._wait_until = now + published.wait_s
        if published.generation == former.generation:
            return
        went_on = (published.state, published.rules) == (former.state, former.rules) and published.state in COUNTING
        if went_on and published.incarnation != former.incarnation:
            self.reports.replace(self.window.contents(), now)
            if former.generation == 0:
                self._refit_window(now)
            if self.opening is not None:
                self._say_opened(self.opening)
        else:
            self._begin_anew()

    def _refit_window(self, now: float) -> None:
        """The calls were gathered by what this process took for the settings; from now on those in force are known."""
        gathered, self.window = self.window, make_window(self.settings)
        self.window.add(gathered.contents(), now)
        self.window.run = gathered.run  # a window of time has no order

    def begin_with(self, settings: BreakerSettings) -> None:
        """The owner is not heard yet: judge by these until it is."""
        self.settings = settings
        self._begin_anew()

    def _begin_anew(self) -> None:
        self.ticket += 1
        self.began = self.ticket
        self.window = make_window(self.settings)
        self.reports.forget()
        self._status = None
        self._asking: dict[int, float] = {}
        self._ask_again_at = float("-inf")
        self._pause_s = ASK_AGAIN_S
        self._set_opening(None)

    def _set_opening(self, opening: SelfOpening | None) -> None:
        self.opening = opening
        self.free = opening is None and self.published.state in ("closed", "shadow", "disabled")
        self.counts = self.published.state in COUNTING

    def set_lost(self, *, lost: bool) -> bool:
        """Whether the owner is lost from now on; tells whether that is news."""
        news, self.lost = lost != self.lost, lost
        return news

    # -- what a call is told ----------------------------------------------------------------------------------------

    def state(self, now: float) -> State:
        """What this process sees: the owner's word, or "open" and then "half_open" after it has opened itself."""
        if self.opening is None:
            return self.published.state
        return "open" if self.opening.is_shut(now) else "half_open"

    def admit(self, now: float) -> Verdict:
        """May a call pass at `now`, monotonic seconds?"""
        if self.free or (self.opening is None and self.published.state == "ramping" and self._spend()):
            return Admitted(self.ticket)
        if self._may_ask(now):
            self._requests += 1
            if self.alone:
                return self._hold(-self._requests, self.published.generation, now + self.settings.permit_lease_s)
            self._asking[self._requests] = now
            return Ask(self._requests)
        return self.refused(now)

    def refused(self, now: float) -> Refused:
        """What to tell a call that does not pass; it is counted."""
        self.reports.add_refused(now)
        return Refused(
            state=self.state(now),
            retry_after_s=self.retry_after_s(now),
            by_itself=self.opening is not None,
            owner_heard=not self._is_unheard,
        )

    @property
    def _is_unheard(self) -> bool:
        """Whether nobody may let a probe through."""
        return self.lost and not (self.alone and self.opening is not None)

    def retry_after_s(self, now: float) -> float:
        """When a call that is refused now may pass, seconds, as far as this process can tell; 0 if one passes."""
        if self.free:
            return 0.0
        if self.opening is not None and self.opening.is_shut(now):
            return self.opening.until - now
        if self.published.state == "forced_open":
            return self.settings.open_s_max
        if self.opening is None and self.published.state == "ramping":
            return self.settings.ramp_step_s
        opens_at = self._wait_until if self.published.state == "open" else self._ask_again_at
        return max(ASK_AGAIN_S_MAX if self._is_unheard else ASK_AGAIN_S, opens_at - now)

    def shut_until(self) -> float | None:
        """Until when every call is refused, if the owner says nothing, monotonic seconds; None: each asks `admit`."""
        if self.opening is not None:
            return self.opening.until
        if self.published.state == "forced_open":
            return float("inf")
        return self._wait_until if self.published.state == "open" else None

    def _spend(self) -> bool:
        """Let the share of the calls pass, evenly; each process begins at another point."""
        self._credit += self.published.share
        passes = self._credit >= 1.0
        self._credit -= passes
        return passes

    # -- permits ----------------------------------------------------------------------------------------------------

    def _may_ask(self, now: float) -> bool:
        if self._is_unheard or now < self._ask_again_at:
            return False
        if self.opening is None:
            return self.published.state == "half_open" and len(self._asking) < self.settings.half_open_permits
        probing = sum(permit.ticket == self.ticket for permit in self._held.values()) + len(self._asking)
        return not self.opening.is_shut(now) and self.opening.probation.room(probing) > 0

    def granted(self, grant: m.GrantPermit, now: float) -> Permit | m.PermitEnded | None:
        """The owner granted a permit: it is the caller's, or goes back; None if the caller has it already.

        It goes back when nobody waits for it any more, or when it was under way for so long that the owner may have
        given it to another by now.
        """
        if grant.permit in self._held:
            return None
        asked_at = self._asking.pop(grant.request, None)
        if asked_at is None or now >= asked_at + grant.lease_s:
            return self._give_back(grant.permit, grant.generation, "cancelled")
        self._pause_s = ASK_AGAIN_S
        return self._hold(grant.permit, grant.generation, asked_at + grant.lease_s)

    def _hold(self, number: int, generation: int, expires_at: float) -> Permit:
        permit = Permit(number=number, generation=generation, ticket=self.ticket, expires_at=expires_at)
        self._held[number] = permit
        return permit

    def denied(self, request: int, now: float) -> None:
        """The owner refused, or the request failed, or the caller gave up waiting: pause before the next."""
        if request in self._asking:
            del self._asking[request]
            self._ask_again_at = now + self._pause_s
            self._pause_s = min(ASK_AGAIN_S_MAX, 2 * self._pause_s)

    def end_permit(
        self,
        permit: Permit,
        outcome: Outcome,
        now: float,
        *,
        duration_s: float | None = None,
        sample: m.Sample | None = None,
    ) -> m.PermitEnded | None:
        """The probe ended; returns what is to be told to the owner at once, or None when that was done before."""
        if self._held.pop(permit.number, None) is None:
            return None
        if outcome in ("success", "failure") and self.opening is not None and permit.ticket == self.ticket:
            self._count_probe(code_of(outcome, duration_s, self.settings) == SUCCESS, self.opening, now)
        return self._give_back(permit.number, permit.generation, outcome, duration_s=duration_s, sample=sample)

    def _count_probe(self, success: bool, opening: SelfOpening, now: float) -> None:  # noqa: FBT001 - one caller
        result = opening.count(success=success, now=now)
        if result is None:
            return
        self.ticket += 1
        if result == "failed":
            self._say_opened(opening)
            return
        self.window.clear()
        self._set_opening(None)
        self._status = m.ClosedLocally(reporter=self._process, generation=self.published.generation)

    def _give_back(
        self,
        number: int,
        generation: int,
        outcome: Outcome,
        *,
        duration_s: float | None = None,
        sample: m.Sample | None = None,
    ) -> m.PermitEnded:
        return m.PermitEnded(
            holder=self._process,
            permit=number,
            generation=generation,
            outcome=outcome,
            duration_s=duration_s,
            sample=sample,
        )

    # -- what a call says -------------------------------------------------------------------------------------------

    def record(
        self, code: int, ticket: int, now: float, *, duration_s: float | None = None, sample: m.Sample | None = None
    ) -> bool:
        """A call that passed with a ticket ended with this octet (see `outcome`); tells whether to report at once."""
        if ticket < self.began or not self.counts:
            self.stale += self.counts
            return False
        self.reports.add(bytes([code]), now)
        if duration_s is not None:
            self.reports.add_duration(duration_s)
        if sample is not None:
            self.reports.add_sample(sample)
        urgent = False
        if ticket == self.ticket and self.opening is None:
            self.window.add(bytes([code]), now)
            urgent = code != SUCCESS and self._judge(now)
        return urgent or self.reports.is_full

    def record_successes(self, count: int, ticket: int, now: float, *, durations: Iterable[float] = ()) -> bool:
        """The same for so many successes that were not slow, of one ticket; they cannot open anything."""
        if ticket < self.began or not self.counts:
            self.stale += count if self.counts else 0
            return False
        codes = bytes(count)
        self.reports.add(codes, now)
        for duration_s in durations:
            self.reports.add_duration(duration_s)
        if ticket == self.ticket and self.opening is None:
            self.window.add(codes, now)
        return self.reports.is_full

    def record_neutral(self, now: float) -> None:
        """A call that passed with a ticket was ignored or cancelled: it says nothing."""
        self.reports.add_neutral(now)

    def record_refused(self, count: int, now: float) -> None:
        """So many calls were refused by what `shut_until` said."""
        self.reports.add_refused(now, count)

    def _judge(self, now: float) -> bool:
        """After a failure or a slow call: open by itself if a rule is broken; tells whether the owner is to know."""
        self.window.settle(now)
        if self.published.state not in PASSING:
            return False
        trip = tripped(self.window, self.settings)
        if trip is None:
            return nearness(self.window, self.settings, minimum=1) >= URGENT
        opening = SelfOpening(trip, self.settings, rng=self._rng, now=now)
        self.ticket += 1
        self._set_opening(opening)
        self._say_opened(opening)
        return True

    def _say_opened(self, opening: SelfOpening) -> None:
        generation = self.published.generation
        self._status = m.OpenedLocally(reporter=self._process, generation=generation, trip=opening.trip)

    # -- what is to be told and asked -------------------------------------------------------------------------------

    @property
    def wait_wanted(self) -> int | None:
        """Openings in a row that the user's `open_s` is to be called with, under no lock; None: no need."""
        opening = self.opening  # one look: it is asked for outside the lock of whoever shares the gate
        return opening.openings if opening is not None and opening.awaits_wait else None

    def answer_wait(self, openings: int, wait_s: float | None) -> None:
        """What it said for so many openings; None when it failed."""
        if self.opening is not None and self.opening.openings == openings:
            self.opening.answer_wait(wait_s)

    def report_at(self) -> float | None:
        """When `take_reports` is due, monotonic seconds, or None."""
        return float("-inf") if self._status is not None else self.reports.due_at()

    def take_reports(self) -> tuple[m.Event, ...]:
        """What the owner is to be told, in order; it is then taken as told."""
        status, self._status = self._status, None
        outcomes = self.reports.take(self.published.generation)
        return tuple(event for event in (outcomes, status) if event is not None)
