"""A whole breaker in one process: its gate and its owner's machine, each told at once what the other says. Pure.

    call -> gate --reports, requests--> machine --its word, permits--> gate

This is the breaker of a process without a cluster. What a shell is still needed for stands in `take_commands`: what is
to be recorded, and the user's function for the wait.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.breaker import messages as m
from actors.breaker.gate import Gate
from actors.breaker.machine import BreakerMachine
from actors.breaker.verdict import Admitted, Ask, Permit, Refused

if TYPE_CHECKING:
    from actors.breaker.chance import Chance
    from actors.breaker.outcome import Outcome
    from actors.breaker.settings import BreakerSettings

COMMANDS_MAX = 1000
"""Commands that wait for a shell; the oldest leave for newer ones."""


class Loopback:
    """One breaker of one process.

    Attributes:
        gate: Its gate; read it, but tell outcomes and ends of permits here.
        machine: Its machine; the same.
    """

    def __init__(self, settings: BreakerSettings, *, rng: Chance, now: float, process: str = "this process") -> None:
        self.machine = BreakerMachine(settings, rng=rng, now=now)
        self.gate = Gate(settings, self.machine.published(now), process=process, rng=rng, now=now)
        self._process = process
        self._commands: list[m.Command] = []

    def admit(self, now: float) -> Admitted | Permit | Refused:
        """May a call pass? A permit is to be ended by `end_permit`, a ticket told by `record`."""
        self._settle(now)
        verdict = self.gate.admit(now)
        if not isinstance(verdict, Ask):
            return verdict
        for command in self.tell(m.PermitRequested(holder=self._process, request=verdict.request), now):
            if isinstance(command, m.GrantPermit):
                permit = self.gate.granted(command, now)
                assert isinstance(permit, Permit)
                return permit
        self.gate.denied(verdict.request, now)
        return self.gate.refused(now)

    def record(
        self, code: int, ticket: int, now: float, *, duration_s: float | None = None, sample: m.Sample | None = None
    ) -> None:
        """A call that passed with a ticket ended so; see `Gate.record`."""
        if self.gate.record(code, ticket, now, duration_s=duration_s, sample=sample):
            self.flush(now)

    def end_permit(
        self,
        permit: Permit,
        outcome: Outcome,
        now: float,
        *,
        duration_s: float | None = None,
        sample: m.Sample | None = None,
    ) -> None:
        """A probe ended; a second end changes nothing."""
        event = self.gate.end_permit(permit, outcome, now, duration_s=duration_s, sample=sample)
        if event is not None:
            self.tell(event, now)
        self.flush(now)

    def flush(self, now: float) -> None:
        """Let the machine know what the gate has gathered."""
        for event in self.gate.take_reports():
            self.tell(event, now)

    def tell(self, event: m.Event, now: float) -> list[m.Command]:
        """An event for the machine (a control, an answer, time); the gate follows at once."""
        commands = self.machine.handle(event, now)
        for command in commands:
            if isinstance(command, m.Publish):
                self.gate.follow(command.published, command.settings, now)
        self._commands += (
            each for each in commands if not isinstance(each, m.Publish | m.GrantPermit | m.RefusePermit)
        )
        del self._commands[:-COMMANDS_MAX]
        return commands

    def take_commands(self) -> list[m.Command]:
        """What is left to be done, in order; it is then taken as done."""
        commands, self._commands = self._commands, []
        return commands

    def _settle(self, now: float) -> None:
        """Nobody sets a timer for a breaker that nobody calls: what is due happens before the next call."""
        due = self.machine.next_timer()
        if due is not None and due <= now:
            self.tell(m.TimePassed(), now)
        report_at = self.gate.report_at()
        if report_at is not None and report_at <= now:
            self.flush(now)
