"""The state that holds, and how it passes into the next one: what the machine's events act on. Pure.

    closed -> open -> half_open -> (ramping ->) closed, and by hand into any; drawn whole in `machine`

Each transition begins a generation, an empty window and an empty probation; permits that are out stay out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.breaker import messages as m
from actors.breaker.agreement import Agreement
from actors.breaker.latency import make_latencies
from actors.breaker.leases import Leases
from actors.breaker.probation import Probation
from actors.breaker.published import GENERATION_BITS, OVERRIDING, Published, State
from actors.breaker.record import Record
from actors.breaker.rules import Trip, answered_wait_s, open_wait_s, tripped
from actors.breaker.window import make_window

if TYPE_CHECKING:
    from actors.breaker.chance import Chance
    from actors.breaker.settings import BreakerSettings
    from actors.breaker.votes import Votes


class Standing:
    """One breaker's state, in one life of its owner.

    Attributes:
        settings: Those in force.
        rules: Their number.
        now: The latest moment that it was told, monotonic seconds.
        state: The state that holds.
        generation: Its number.
        since: When it began.
        until: When time alone changes it, or the step of the ramp; in shadow: until when it would be open.
        step: The step of the ramp.
        openings: Openings in a row.
        tried: Whether a probe was let through in this generation.
        opened_by: What opened it last, or would have in shadow.
        opened_at: When that was.
        overridden_by: Who asked for this state, if somebody did.
        window: The calls that it is judged by.
        probation: The probes that it is judged by while half-open.
        leases: The permits that are out.
        agreement: Who reports, and who has opened itself.
        record: What is remembered for people.
    """

    def __init__(self, settings: BreakerSettings, *, rng: Chance, incarnation: int, now: float) -> None:
        self.settings = settings
        self.rules = 1
        self.now = self.since = self.opened_at = now
        self.state: State = "closed"
        self.generation = incarnation << GENERATION_BITS
        self.until: float | None = None
        self.step = self.openings = 0
        self.tried = False
        self.opened_by: m.Cause | None = None
        self.overridden_by: m.Cause | None = None
        self.window = make_window(settings)
        self.probation = Probation(settings)
        self.leases = Leases()
        self.agreement = Agreement()
        self.record = Record(settings)
        self._rng = rng
        self._awaits_wait = False
        self._commands: list[m.Command] = []

    def emit(self, command: m.Command) -> None:
        """This is to be done."""
        self._commands.append(command)

    def take_commands(self) -> list[m.Command]:
        """What is to be done, in order; it is then taken as done."""
        commands, self._commands = self._commands, []
        return commands

    def published(self, now: float) -> Published:
        """What every process is to know."""
        left_s = self.until - max(self.now, now) if self.state == "open" and self.until is not None else 0.0
        return Published(
            state=self.state,
            generation=self.generation,
            share=self.settings.ramp[self.step] if self.state == "ramping" else 1.0,
            wait_s=max(0.0, left_s),
            openings=self.openings,
            step=self.step,
            rules=self.rules,
        )

    def publish(self) -> None:
        """Tell every process."""
        self.emit(m.Publish(published=self.published(self.now), settings=self.settings))

    def judge_by(self, settings: BreakerSettings) -> None:
        """These settings are in force; what calls said under the former ones is forgotten."""
        self.settings = settings
        self.window = make_window(settings)
        self.record.latencies = make_latencies(settings)

    def votes(self) -> Votes:
        """How many have opened themselves, of how many, as the settings count them."""
        return self.agreement.votes(of=self.settings.quorum_of, needed=self.settings.quorum)

    def cause(
        self, kind: m.CauseKind, detail: str, *, trip: Trip | None = None, reporters: tuple[str, ...] = ()
    ) -> m.Cause:
        """Why something happens now, with the failed calls that are remembered."""
        return m.Cause(kind=kind, detail=detail, trip=trip, samples=self.record.samples(self.now), reporters=reporters)

    # -- transitions ------------------------------------------------------------------------------------------------

    def enter(self, state: State, cause: m.Cause, *, until: float | None = None) -> None:
        before, self.state = self.state, state
        self.generation += 1
        self.since, self.until = self.now, until
        self.step = 0
        self._awaits_wait = self.tried = False
        self.overridden_by = cause if state in OVERRIDING else None
        self.window.clear()
        self.probation = Probation(self.settings)
        self.agreement.clear_votes()
        published = self.published(self.now)
        self.emit(
            m.RecordTransition(
                before=before,
                after=state,
                generation=self.generation,
                cause=cause,
                openings=self.openings,
                wait_s=published.wait_s,
            )
        )
        self.publish()

    def open(self, cause: m.Cause, *, counts: bool = True) -> None:
        """Refuse all calls for the wait that follows this opening; one that does not count waits no longer for it."""
        self.openings += counts
        self.record.totals.openings += 1
        wait_s = open_wait_s(self.settings, openings=self.openings, rng=self._rng)
        self._remember_opening(cause)
        self.enter("open", cause, until=self.now + (self.settings.open_s_max if wait_s is None else wait_s))
        if wait_s is None:
            self._ask_wait(self.openings)

    def would_open(self, cause: m.Cause) -> None:
        wait_s = open_wait_s(self.settings, openings=1, rng=self._rng)
        self._remember_opening(cause)
        self.until = self.now + (self.settings.open_s_max if wait_s is None else wait_s)
        self.window.clear()
        self.emit(m.NoteWouldOpen(generation=self.generation, cause=cause))
        if wait_s is None:
            self._ask_wait(1)

    def _remember_opening(self, cause: m.Cause) -> None:
        self.opened_by, self.opened_at = cause, self.now
        self.record.forget_samples()

    def _ask_wait(self, openings: int) -> None:
        """It stays shut for the longest wait, until the user's function has said how long."""
        self._awaits_wait = True
        self.emit(m.AskOpenWait(generation=self.generation, openings=openings))

    def on_open_wait(self, event: m.OpenWaitAnswered) -> None:
        if event.generation != self.generation or not self._awaits_wait:
            return
        self._awaits_wait = False
        wait_s = answered_wait_s(self.settings, event.wait_s)
        self.until = self.opened_at + wait_s
        if self.state == "open":
            self.emit(m.RecordOpenWait(generation=self.generation, wait_s=wait_s))
            self.publish()
        self.settle()

    def recover(self, cause: m.Cause) -> None:
        if self.settings.ramp:
            self.enter("ramping", cause, until=self.now + self.settings.ramp_step_s)
        else:
            self.close(cause)

    def close(self, cause: m.Cause) -> None:
        self.openings = 0
        self.enter("closed", cause)

    def half_open(self, cause: m.Cause) -> None:
        """Let probes through."""
        self.enter("half_open", cause, until=self._probing_until())

    def _probing_until(self) -> float:
        """Time in which leases that nobody knows are waited out is not time for probing."""
        return max(self.now, self.leases.shut_until) + self.settings.half_open_s_max

    def resume(self, found: Published) -> None:
        """Take up a predecessor's state, and its step or the wait that was left, without a transition."""
        self.state = "closed" if found.state == "ramping" and not self.settings.ramp else found.state
        self.generation += 1
        self.step = min(found.step, len(self.settings.ramp) - 1) if self.state == "ramping" else 0
        self.probation = Probation(self.settings)
        if self.state == "open":
            self.until = self.now + min(found.wait_s, self.settings.open_s_max)
        elif self.state == "half_open":
            self.until = self._probing_until()
        elif self.state == "ramping":
            self.until = self.now + self.settings.ramp_step_s
        self.publish()

    # -- time -------------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Let happen what is due. What begins late begins now: a stopped process must not find its probing over."""
        self.agreement.settle(self.now)
        self.record.totals.permits_expired += self.leases.expire(self.now)
        while self.until is not None and self.until <= self.now:
            self._on_due()

    def _on_due(self) -> None:
        if self.state == "open":
            self.half_open(self.cause("wait_over", "the wait is over"))
        elif self.state == "half_open":
            detail = f"half-open for {self.settings.half_open_s_max:g} s without a decision"
            self.open(self.cause("half_open_too_long", detail), counts=self.tried)
        elif self.state == "ramping":
            self._on_step_over()
        else:  # in shadow: it would be probing now
            self.until, self._awaits_wait = None, False

    def _on_step_over(self) -> None:
        """A step is judged on whatever calls it had: after an outage few are enough to see that it lasts."""
        self.window.settle(self.now)
        trip = tripped(self.window, self.settings, minimum=1)
        if trip is not None:
            self.open(self.cause("ramp_tripped", str(trip), trip=trip))
        elif self.step + 1 < len(self.settings.ramp):
            self.step += 1
            self.until = self.now + self.settings.ramp_step_s
            self.window.clear()
            share = self.settings.ramp[self.step]
            self.emit(m.NoteRampStep(generation=self.generation, step=self.step, share=share))
            self.publish()
        else:
            self.close(self.cause("ramp_done", f"the ramp's {len(self.settings.ramp)} steps went well"))
