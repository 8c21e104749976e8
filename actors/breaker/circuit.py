"""One process's side of one breaker: the gate, guarded, between the calls of any thread and the link to the owner.

    calls --lane--> (no lock)                  the hot path: one word is compared, see `lane` and `calling`
    calls --admit, leave--> lock: gate         what the hot path does not take: errors, permits, the first look
    link --follow, lost, found--> lock: gate
    keeper --run--> lock: gate                 what is due by time

Whatever follows from the gate (events for the owner, news for subscribers, the user's function for a wait) is carried
out after the lock was let go, by whoever changed it: user code never runs under it, and the link is never called so.
What the owner says is read before the lock is taken: it may import the module of a function among the settings.

A circuit that is not called is parked after a while: its next call takes the slow way once, and the keeper sleeps.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import partial
from math import ceil
from typing import TYPE_CHECKING

from actors.breaker import messages as m
from actors.breaker.gate import Gate
from actors.breaker.held import TOO_LATE, HeldPermits
from actors.breaker.lane import DURATIONS_MAX, IDLE_LOOKS, LANES_MAX, NEVER, Lane
from actors.breaker.link import THIS_PROCESS, WORD_UNKNOWN, Attachment, Glance, OwnerLink, Word, glance
from actors.breaker.open_waits import ask_open_wait
from actors.breaker.outcome import code_of
from actors.breaker.outgoing import Outgoing
from actors.breaker.published import Published
from actors.breaker.reports import REPORT_CALLS, REPORT_S
from actors.breaker.settings import BreakerSettings
from actors.breaker.sighting import Sighting
from actors.breaker.verdict import Permit

if TYPE_CHECKING:
    from actors.breaker.outcome import Outcome
    from actors.breaker.sighting import Transition
    from actors.breaker.surroundings import Surroundings
    from actors.breaker.verdict import Refused, Verdict
    from actors.runtime.stream import EventStream


class Circuit:
    """One breaker, as one process has it. Its methods may be called from any thread.

    Attributes:
        name: The breaker.
        link: The way to its owner.
        process: This process's text; a forked child gets another.
        lane: What the hot path reads.
        place: Where the owner's word stands, at 0.

    Args:
        settings: Those that the name gets if nobody defined it before; None: whatever they are.
        surroundings: What it needs of its process.
    """

    def __init__(
        self, name: str, link: OwnerLink, settings: BreakerSettings | None, surroundings: Surroundings
    ) -> None:
        self.name = name
        self.link = link
        self.given = settings
        self.now = surroundings.clock.now
        self._rng = surroundings.rng
        self._keeper = surroundings.keeper
        self._outgoing = Outgoing(name, link)
        self._begin(surroundings.process, settings or BreakerSettings(), Published(state="closed", generation=0))

    def _begin(self, process: str, settings: BreakerSettings, published: Published) -> None:
        self.process = process
        alone = self.link.is_alone
        gate = Gate(settings, published, process=process, rng=self._rng, now=self.now(), alone=alone)
        self.gate = gate
        self.cause: m.Cause | None = None
        self._lock = threading.Lock()
        self._outgoing.begin_anew()
        self._permits = HeldPermits()
        self.lane = Lane(gate.ticket)
        self._lanes = [self.lane]
        self.place: Sequence[int] = (WORD_UNKNOWN,)
        self._seen = WORD_UNKNOWN
        self._parked = True
        self._unseen = False
        self._idle = 0
        self._due_at: float | None = None
        self._wait_asked: int | None = None
        self._sighting = Sighting(self.name, gate)
        gate.set_lost(lost=True)
        self._attachment: Attachment | None = None
        self._attachment = self.link.attach(self.name, self.given, self, process=process)
        self.look()

    def reborn(self, process: str) -> None:
        """In a forked child: a circuit of its own, which begins where the parent's was."""
        self._begin(process, self.gate.settings, self.gate.published)

    def define(self, settings: BreakerSettings) -> None:
        """A definition after the first use: it stands if there was none, else one that differs is told in a warning."""
        is_first = self.given is None and self.gate.settings == BreakerSettings()
        if is_first:
            self.link.define(self.name, settings)
        with self._lock:
            if is_first and self.given is None:
                self.given = settings
                if self.gate.published.generation == 0:
                    self.gate.begin_with(settings)
            else:
                self._outgoing.remarks.append((self.given or self.gate.settings, settings))
            self._specialise(self.now())
        self._settle()

    def end(self) -> None:
        """Follow the owner no more; calls go on by what was known."""
        self.flush()
        attachment, self._attachment = self._attachment, None
        if attachment is not None:
            attachment.detach()

    # -- what calls need --------------------------------------------------------------------------------------------

    def admit(self) -> tuple[Verdict, Lane]:
        """May a call pass? The lane is that of its ticket."""
        seen = self._glance()
        now = self.now()
        with self._lock:
            self._take(seen)
            if self._parked:
                self._parked, self._idle = False, 0
                self._due_by(now + REPORT_S)
            verdict = self.gate.admit(now)
            if isinstance(verdict, Permit):
                self._due_by(self._permits.add(verdict))
            self._specialise(now)
            lane = self.lane
        self._settle()
        return verdict, lane

    def granted(self, grant: m.GrantPermit, limit_at: float | None = None) -> Permit | None:
        """The owner granted a permit; None if nobody may use it any more: it went back.

        Args:
            grant: What it said.
            limit_at: When the probe has failed if it has not ended, monotonic seconds; None: only its lease ends it.
        """
        now = self.now()
        with self._lock:
            permit = self.gate.granted(grant, now)
            if isinstance(permit, Permit):
                self._due_by(self._permits.add(permit, limit_at))
            elif permit is not None:
                self._outgoing.reports.append((permit,))
        self._settle()
        return permit if isinstance(permit, Permit) else None

    def denied(self, request: int) -> None:
        """The owner refused, could not be asked, or nobody waits any more."""
        with self._lock:
            self.gate.denied(request, self.now())

    def refusal(self) -> Refused:
        """What to tell a call that asked for a permit and got none; it is counted."""
        now = self.now()
        with self._lock:
            refused = self.gate.refused(now)
            self._specialise(now)
        self._settle()
        return refused

    def leave(
        self,
        ticket: int,
        permit: Permit | None,
        outcome: Outcome,
        *,
        duration_s: float | None = None,
        sample: m.Sample | None = None,
    ) -> None:
        """A call that passed has ended so; successes of the hot path are counted by their lane instead."""
        now = self.now()
        with self._lock:
            if permit is not None:
                outcome = self._permits.end(permit, outcome, now)
                ended = self.gate.end_permit(permit, outcome, now, duration_s=duration_s, sample=sample)
                self._outgoing.reports += ((ended,),) if ended is not None else ()
            elif outcome in ("ignored", "cancelled"):
                self.gate.record_neutral(now)
            else:
                self._gather(now)  # what succeeded before comes before
                code = code_of(outcome, duration_s, self.gate.settings)
                if self.gate.record(code, ticket, now, duration_s=duration_s, sample=sample):
                    self._take_reports()
            self._specialise(now)
        self._settle()

    def measured(self, lane: Lane, duration_s: float) -> None:
        """A call of this lane succeeded, and was not slow."""
        lane.durations.append(duration_s)
        if len(lane.durations) >= DURATIONS_MAX:
            self.flush()

    def flush(self) -> None:
        """Tell the owner now what was gathered."""
        now = self.now()
        with self._lock:
            self._gather(now)
            self._take_reports()
            self._specialise(now)
        self._settle()

    def look(self) -> None:
        """See what the owner says now."""
        seen = self._glance()
        now = self.now()
        with self._lock:
            self._take(seen)
            self._specialise(now)
        self._settle()

    @contextmanager
    def held(self) -> Generator[tuple[Gate, float]]:
        """The gate at this moment, for whoever looks at more than one thing of it: nobody changes it meanwhile."""
        with self._lock:
            yield self.gate, self.now()

    def subscribe(self) -> EventStream[Transition]:
        """Every transition from now on."""
        with self._lock:
            return self._outgoing.subscribe()

    # -- what the link says -----------------------------------------------------------------------------------------

    def follow(self, word: Word) -> None:
        """See `link.Follower`."""
        now = self.now()
        with self._lock:
            self._follow(word, now)
        seen = self._read()
        with self._lock:
            self._take(seen)
            self._specialise(self.now())
        self._settle()

    def untold(self, events: Sequence[m.Event]) -> None:
        """See `link.Follower`: what was told is gone; the window of the gate keeps what a new owner is told."""
        lost = sum(len(event.outcomes) for event in events if isinstance(event, m.OutcomesReported))
        with self._lock:
            self.gate.reports.dropped += lost

    def lost(self) -> None:
        """See `link.Follower`."""
        self._hear(lost=True)

    def found(self) -> None:
        """See `link.Follower`."""
        self._hear(lost=False)
        self.look()

    def _hear(self, *, lost: bool) -> None:
        with self._lock:
            self._outgoing.news += self._sighting.heard(self.gate, self.now(), lost=lost)
        self._outgoing.deliver()

    # -- what is due by time ----------------------------------------------------------------------------------------

    def run(self, now: float) -> float | None:
        """See `keeper.Job`."""
        with self._lock:
            self._due_at = None
            self._expire(now)
            called = self._gather(now)
            report_at = self.gate.report_at()
            if report_at is not None and report_at <= now:
                self._take_reports()
            self._idle = 0 if called else self._idle + 1
            self._parked = self._parked or self._idle > IDLE_LOOKS
            self._specialise(now)
            if not self._parked:
                self._due_by(ceil(now / REPORT_S + 1) * REPORT_S)  # all circuits at the same time: one wake-up
            next_at = self._due_at
        self._settle()
        return next_at

    def _expire(self, now: float) -> None:
        """A probe that hangs gives its permit back; what it says later changes nothing."""
        for permit, outcome in self._permits.take_due(now):
            sample = m.Sample(reporter=self.process, error=TOO_LATE) if outcome == "failure" else None
            ended = self.gate.end_permit(permit, outcome, now, sample=sample)
            self._outgoing.reports += ((ended,),) if ended is not None else ()
        next_at = self._permits.next_at()
        if next_at is not None:
            self._due_by(next_at)

    # -- before the lock --------------------------------------------------------------------------------------------

    def _glance(self) -> Glance | None:
        """What the owner says, if it is new."""
        return self._read() if self._seen == WORD_UNKNOWN or self.place[0] != self._seen else None

    def _read(self) -> Glance | None:
        attachment = self._attachment
        return None if attachment is None else glance(attachment, self.now())

    # -- under the lock ---------------------------------------------------------------------------------------------

    def _take(self, seen: Glance | None) -> None:
        """If another thread has taken a later one meanwhile, the word differs from this one's, and is read again."""
        if seen is None:
            return
        self.place, self._seen = seen.place, WORD_UNKNOWN
        if seen.found is not None:
            self._seen, word = seen.found
            self._follow(word, seen.at)

    def _follow(self, word: Word, now: float) -> None:
        former = self.gate.published
        if word.published.generation < former.generation:
            return
        if former.generation == 0 and self.given is not None and word.published.rules == 1:
            self._outgoing.remarks.append((word.settings, self.given))
        self._gather(now)
        self.gate.follow(word.published, word.settings, now)
        self.cause = word.cause

    def _gather(self, now: float) -> bool:
        """Let the gate know what the lanes counted; tells whether anybody called."""
        called = False
        for lane in self._lanes:
            durations = lane.take_durations()
            refused = lane.take_refusals()
            hits = lane.take_hits() + len(durations)
            called = called or bool(hits or refused)
            if refused:
                self.gate.record_refused(refused, now)
            while hits:
                some = min(hits, REPORT_CALLS)
                hits -= some
                if self.gate.record_successes(some, lane.ticket, now, durations=durations):
                    self._take_reports()
                durations = []
        return called

    def _take_reports(self) -> None:
        events = self.gate.take_reports()
        self._outgoing.reports += (events,) if events else ()

    def _specialise(self, now: float) -> None:
        """Make the hot path fit what the gate says now, and note what is due and what is news."""
        gate, lane = self.gate, self.lane
        if lane.ticket != gate.ticket:
            self._unseen = True
            lane.park()
            lane = Lane(gate.ticket)
            telling = [each for each in self._lanes if each.ticket >= gate.began]
            self._lanes = [*telling[-LANES_MAX:], lane]
        passes = self._seen if gate.free and not self._parked else NEVER
        plain = gate.settings.slow_call_s is None and gate.settings.failed_result is None
        shut_until = None if self._parked else gate.shut_until()
        if shut_until is not None:
            lane.refuse(gate, shut_until, of_process=self.link.supervisor == THIS_PROCESS)
        lane.shut = NEVER if shut_until is None else self._seen
        lane.careful = passes
        lane.word = passes if plain else NEVER
        self.lane = lane
        report_at = gate.report_at()
        if report_at is not None:
            self._due_by(max(now, report_at))

    def _due_by(self, at: float) -> None:
        self._due_at = at if self._due_at is None else min(self._due_at, at)

    # -- after the lock ---------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Carry out what follows."""
        if (due_at := self._due_at) is not None:
            self._keeper.wake(self, due_at)
        self._outgoing.deliver()
        if self._unseen:  # only now: what the owner said to what it was told is one change with it
            now = self.now()
            with self._lock:
                self._unseen = False
                news = self._sighting.news(self.gate, self.cause, now)
                self._outgoing.news += (news,) if news is not None else ()
            self._outgoing.deliver()
        if (wanted := self.gate.wait_wanted) is not None and wanted != self._wait_asked:
            self._wait_asked = wanted
            ask_open_wait(self.name, self.gate.settings, wanted, partial(self._answer_wait, wanted))

    def _answer_wait(self, openings: int, wait_s: float | None) -> None:
        now, self._wait_asked = self.now(), None
        with self._lock:
            self.gate.answer_wait(openings, wait_s)
            self._specialise(now)
