"""A breaker as the whole cluster shares it: what its owner decides. Pure: events in, commands out.

    closed --a rule is broken, or k reporters agree--> open --wait over--> half_open --enough probes succeeded--+
      ^                                                ^  ^                 |                                   |
      |                                                |  +-- probes failed, or half-open for too long          |
      |                                                +----- a rule is broken ------ ramping <--- with a ramp--+
      +------------- last step over ---------------------------------------------------+                        |
      +------------- without a ramp ----------------------------------------------------------------------------+

    any --by hand--> disabled (all pass, none counts) | forced_open (none passes) | shadow (all pass, all count)
    any --reset, or enable after one of these--> closed

Each transition begins a generation. A call is judged by the generation that it was admitted in: what an earlier one
still says is counted as stale and changes nothing, so no late success closes and no late failure opens. Steps of a ramp
are one generation: calls that take longer than a step still count.

The processes decide on closed and open themselves (see `gate`), and report. Whoever wants to probe needs a permit from
here: at most `half_open_permits` are out in the whole cluster, in whatever state and from whichever generation, and
each is a lease (see `leases`). A process that has opened itself while the cluster is closed probes with such a permit.

Time that is over is settled before each event, so a timer that fires late decides nothing differently. A `now` before
the latest one counts as the latest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from actors.breaker import messages as m
from actors.breaker.control import configure, control, recover, recover_late
from actors.breaker.kept import Kept, KeptLease
from actors.breaker.latency import bucket_of
from actors.breaker.leases import Lease
from actors.breaker.outcome import SUCCESS, code_of
from actors.breaker.published import COUNTING, PASSING, Published, State
from actors.breaker.rules import nearness, tripped
from actors.breaker.standing import Standing
from actors.breaker.view import BreakerView

if TYPE_CHECKING:
    from actors.breaker.chance import Chance
    from actors.breaker.settings import BreakerSettings
    from actors.breaker.votes import Votes


class BreakerMachine:
    """One breaker, in one life of its owner.

    Args:
        settings: When it opens and how it recovers.
        rng: The source of chance; only the jitter of waits draws from it.
        incarnation: The number of the owner's life, from 1.
        now: The moment, monotonic seconds.
    """

    def __init__(self, settings: BreakerSettings, *, rng: Chance, incarnation: int = 1, now: float = 0.0) -> None:
        self._s = Standing(settings, rng=rng, incarnation=incarnation, now=now)
        self._last_permit = self._s.generation
        self._fresh = True

    @property
    def state(self) -> State:
        """The state that holds."""
        return self._s.state

    @property
    def generation(self) -> int:
        """Its number."""
        return self._s.generation

    @property
    def settings(self) -> BreakerSettings:
        """Those in force."""
        return self._s.settings

    def handle(self, event: m.Event, now: float) -> list[m.Command]:
        """What follows from `event` at `now`, monotonic seconds; in the order to be carried out."""
        self._s.now = max(self._s.now, now)
        self._s.settle()
        self._dispatch(event)
        self._fresh = False
        return self._s.take_commands()

    def next_timer(self) -> float | None:
        """When `TimePassed` is due, monotonic seconds, or None."""
        until, lease_at = self._s.until, self._s.leases.next_at()
        return until if lease_at is None or (until is not None and until < lease_at) else lease_at

    def published(self, now: float) -> Published:
        """What every process is to know; tell it once at the start, then whenever a command says so."""
        return self._s.published(now)

    def kept(self, now: float) -> Kept:
        """What a successor must know."""
        return Kept(
            published=self._s.published(now),
            settings=self._s.settings,
            leases=tuple(
                KeptLease(
                    permit=lease.permit,
                    holder=lease.holder,
                    request=lease.request,
                    generation=lease.generation,
                    left_s=lease.expires_at - now,
                )
                for lease in self._s.leases
                if lease.expires_at > now
            ),
            opened_by=self._s.opened_by,
            opened_ago_s=max(self._s.now, now) - self._s.opened_at,
            overridden_by=self._s.overridden_by,
        )

    def view(self, now: float) -> BreakerView:
        """What people are told."""
        now = max(self._s.now, now)
        self._s.window.settle(now)
        self._s.agreement.settle(now)
        window, probation = self._s.window, self._s.probation
        return BreakerView(
            published=self._s.published(now),
            settings=self._s.settings,
            since_s=now - self._s.since,
            state_left_s=None if self._s.until is None else max(0.0, self._s.until - now),
            calls=window.calls,
            failure_rate=window.failure_rate,
            slow_rate=window.slow_rate,
            failures_in_a_row=window.run.length,
            nearness=nearness(window, self._s.settings),
            would_be_open=self._s.state == "shadow" and self._s.until is not None,
            opened_by=self._s.opened_by,
            opened_ago_s=now - self._s.opened_at,
            overridden_by=self._s.overridden_by,
            probes_succeeded=probation.successes,
            probes_failed=probation.failures,
            probes_required=probation.required,
            permits_out=len(self._s.leases),
            voters=self._s.agreement.voters,
            votes=self._s.votes(),
            totals=self._s.record.totals,
            durations=self._s.record.latencies.counts(now),
        )

    def _dispatch(self, event: m.Event) -> None:  # noqa: C901, PLR0912 - one branch per event, closed
        match event:
            case m.OutcomesReported():
                self._on_outcomes(event)
            case m.ReporterSeated():
                self._s.agreement.seat(event.reporter, event.node)
            case m.OpenedLocally():
                self._on_opened_locally(event)
            case m.ClosedLocally():
                self._on_vote_gone(event.reporter, gone=self._s.agreement.withdraw(event.reporter))
            case m.PermitRequested():
                self._on_permit_requested(event)
            case m.PermitEnded():
                self._on_permit_ended(event)
            case m.HolderDied():
                self._s.leases.drop_holder(event.holder)
                self._on_vote_gone(event.holder, gone=self._s.agreement.bury(event.holder))
            case m.TimePassed():
                pass  # all that is due was settled
            case m.OpenWaitAnswered():
                self._s.on_open_wait(event)
            case m.ControlRequested():
                control(self._s, event)
            case m.ConfigureRequested():
                configure(self._s, event)
            case m.StateRecovered():
                self._on_recovered(event)
            case m.LogAnswered():
                recover_late(self._s, event)
            case _:
                assert_never(event)

    # -- what processes tell ----------------------------------------------------------------------------------------

    def _on_outcomes(self, event: m.OutcomesReported) -> None:
        totals = self._s.record.totals
        totals.refused += event.refused
        totals.neutral += event.neutral
        self._s.agreement.hear(event.reporter, self._s.now)
        if event.generation != self._s.generation or self._s.state not in COUNTING:
            totals.stale += len(event.outcomes)
            return
        self._s.record.add(event.outcomes)
        if event.durations:
            self._s.record.latencies.add(event.durations, self._s.now)
        if event.samples:
            self._s.record.remember(event.samples, self._s.now)
        self._count(event.outcomes)

    def _count(self, outcomes: bytes) -> None:
        """Judge by the sum of all calls, unless a quorum is to; whoever recovers is always judged by the sum."""
        if self._s.state == "shadow" and self._s.until is not None:
            return  # it would be open: these calls would not have been
        self._s.window.add(outcomes, self._s.now)
        self._s.window.settle(self._s.now)
        trip = tripped(self._s.window, self._s.settings)
        if trip is None or (self._s.state == "closed" and self._s.settings.quorum is not None):
            return
        cause = self._s.cause("ramp_tripped" if self._s.state == "ramping" else "tripped", str(trip), trip=trip)
        if self._s.state == "shadow":
            self._s.would_open(cause)
        else:
            self._s.open(cause)

    def _on_opened_locally(self, event: m.OpenedLocally) -> None:
        self._s.agreement.hear(event.reporter, self._s.now)
        if event.generation != self._s.generation or self._s.state not in PASSING:
            return
        self._s.agreement.vote(event.reporter, self._s.now)
        votes = self._note_agreement(event.reporter)
        if votes.needed is not None and votes.agreed >= votes.needed:
            detail = f"{votes.agreed} of {votes.known} {votes.of} have opened themselves (quorum={votes.needed})"
            self._s.open(self._s.cause("agreed", detail, trip=event.trip, reporters=self._s.agreement.voters))

    def _on_vote_gone(self, reporter: str, *, gone: bool) -> None:
        if gone:
            self._note_agreement(reporter)

    def _note_agreement(self, reporter: str) -> Votes:
        self._s.agreement.settle(self._s.now)
        votes = self._s.votes()
        self._s.emit(m.NoteAgreement(votes=votes, reporter=reporter))
        return votes

    # -- permits ----------------------------------------------------------------------------------------------------

    def _on_permit_requested(self, event: m.PermitRequested) -> None:
        holder, request, now = event.holder, event.request, self._s.now
        self._s.agreement.hear(holder, now)
        lease = self._s.leases.find(holder, request)
        if lease is None and self._room() > 0:
            self._last_permit += 1
            lease = Lease(
                permit=self._last_permit,
                holder=holder,
                request=request,
                generation=self._s.generation,
                expires_at=now + self._s.settings.permit_lease_s,
            )
            self._s.leases.add(lease)
            self._s.tried = True
            self._s.record.totals.permits_granted += 1
        if lease is None:
            self._s.record.totals.permits_refused += 1
            self._s.emit(m.RefusePermit(holder=holder, request=request, retry_after_s=self._retry_after_s()))
        else:
            left_s = lease.expires_at - now
            number, generation = lease.permit, lease.generation
            self._s.emit(
                m.GrantPermit(holder=holder, request=request, permit=number, generation=generation, lease_s=left_s)
            )

    def _room(self) -> int:
        """How many more probes may begin now."""
        if self._s.leases.is_shut(self._s.now):
            return 0
        if self._s.state == "half_open":
            return self._s.probation.room(len(self._s.leases))
        return self._s.settings.half_open_permits - len(self._s.leases) if self._s.state in PASSING else 0

    def _retry_after_s(self) -> float:
        """When a permit that is refused now may be had: nobody knows, but not before something ends."""
        if self._s.leases.is_shut(self._s.now):
            return self._s.leases.shut_until - self._s.now
        if self._s.state == "forced_open":
            return self._s.settings.open_s_max
        ends_at = self._s.until if self._s.state == "open" else self._s.leases.next_at()
        return 0.0 if ends_at is None else ends_at - self._s.now

    def _on_permit_ended(self, event: m.PermitEnded) -> None:
        lease, totals = self._s.leases.end(event.permit, event.holder), self._s.record.totals
        if lease is None:
            totals.permits_late += 1
        elif event.outcome in ("ignored", "cancelled"):
            totals.neutral += 1
        elif lease.generation != self._s.generation or event.generation != lease.generation:
            totals.stale += 1
        else:
            code = code_of(event.outcome, event.duration_s, self._s.settings)
            self._s.record.add(bytes([code]))
            if event.duration_s is not None:
                self._s.record.latencies.add(bytes([bucket_of(event.duration_s)]), self._s.now)
            if event.sample is not None:
                self._s.record.remember((event.sample,), self._s.now)
            self._on_probe(code)

    def _on_probe(self, code: int) -> None:
        if self._s.state != "half_open":  # of a process that had opened itself: a call like any other
            self._count(bytes([code]))
            return
        result, probation = self._s.probation.count(success=code == SUCCESS), self._s.probation
        if result == "passed":
            detail = f"{probation.successes} of {probation.permits} probes succeeded ({probation.required} required)"
            self._s.recover(self._s.cause("probes_succeeded", detail))
        elif result == "failed":
            detail = f"{probation.failures} of {probation.permits} probes failed or were slow"
            self._s.open(self._s.cause("probes_failed", detail))

    # -- a new life -------------------------------------------------------------------------------------------------

    def _on_recovered(self, event: m.StateRecovered) -> None:
        """Only what was there before: what this life has seen happen itself is newer."""
        if self._fresh:
            recover(self._s, event)
            self._last_permit = self._s.generation
            self._s.settle()
