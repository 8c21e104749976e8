"""A breaker as its rules say, in the plainest words: lists and loops, nothing kept that could be counted again.

It knows what a permit is, what a generation is and what time does; it shares no code with the machine. Times are whole
seconds, so that nothing is decided by rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

HOUR_S = 3600
SILENT_S = 60
NODES = {"p": "west", "q": "west", "r": "east"}


@dataclass(frozen=True)
class Rules:
    """The settings that the model knows."""

    window: int = 4
    window_s: int | None = None
    minimum: int = 2
    failing: float = 0.5
    slow: float | None = None
    in_a_row: int | None = None
    open_s: int = 5
    open_s_max: int = 20
    permits: int = 2
    required: int = 2
    half_open_s: int = 30
    lease_s: int = 10
    ramp: tuple[float, ...] = ()
    ramp_step_s: int = 3
    quorum: int | None = None
    by_node: bool = False


@dataclass(frozen=True)
class Call:
    failed: bool = False
    slow: bool = False
    at: int = 0


@dataclass(frozen=True)
class Loan:
    holder: str
    generation: int
    until: int


@dataclass
class Model:
    """One breaker."""

    rules: Rules
    generation: int
    now: int = 0
    state: str = "closed"
    until: int | None = None
    step: int = 0
    openings: int = 0
    shut_until: int = -HOUR_S
    calls: list[Call] = field(default_factory=list)
    """Each call of this generation (of this step), oldest first; all of them."""
    probes: list[bool] = field(default_factory=list)
    """Whether each probe of this generation succeeded."""
    probed: bool = False
    loans: dict[int, Loan] = field(default_factory=dict)
    voters: set[str] = field(default_factory=set)
    heard: dict[str, int] = field(default_factory=dict)
    """When each process spoke last."""

    # -- what happens -----------------------------------------------------------------------------------------------

    def time(self, now: int) -> None:
        self.now = max(self.now, now)
        self.loans = {permit: loan for permit, loan in self.loans.items() if loan.until > self.now}
        self.voters = {process for process in self.voters if self.now - self.heard[process] <= SILENT_S}
        while self.until is not None and self.until <= self.now:
            if self.state == "open":
                self.go("half_open")
            elif self.state == "half_open":
                self.open(again=self.probed)
            elif self.state == "shadow":
                self.until = None
            elif self.is_failing(1):
                self.open()
            elif self.step + 1 < len(self.rules.ramp):
                self.step += 1
                self.calls = []
                self.until = self.now + self.rules.ramp_step_s
            else:
                self.close()

    def hear(self, process: str) -> None:
        self.heard[process] = self.now

    def report(self, calls: Sequence[Call], generation: int) -> None:
        if generation != self.generation or self.state not in ("closed", "ramping", "shadow"):
            return
        if self.state == "shadow" and self.until is not None:
            return
        before = len(self.calls)
        self.calls += [replace(call, at=self.now) for call in calls]
        broken = self.is_failing(self.rules.minimum) or self.has_run(before)
        if not broken or (self.state == "closed" and self.rules.quorum is not None):
            return
        if self.state == "shadow":
            self.calls = []
            self.until = self.now + self.rules.open_s
        else:
            self.open()

    def vote(self, process: str, generation: int) -> None:
        if generation == self.generation and self.state in ("closed", "ramping"):
            self.voters.add(process)
            if self.rules.quorum is not None and self.agreed() >= self.rules.quorum:
                self.open()

    def agreed(self) -> int:
        return len({NODES[process] for process in self.voters} if self.rules.by_node else self.voters)

    def room(self) -> int:
        if self.now < self.shut_until:
            return 0
        free = self.rules.permits - len(self.loans)
        if self.state == "half_open":
            return free - len(self.probes)
        return free if self.state in ("closed", "ramping") else 0

    def lend(self, permit: int, holder: str) -> None:
        self.probed = True
        self.loans[permit] = Loan(holder, self.generation, self.now + self.rules.lease_s)

    def end(self, permit: int, holder: str, generation: int, outcome: str, *, slow: bool = False) -> None:
        loan = self.loans.get(permit)
        if loan is None or loan.holder != holder:
            return
        del self.loans[permit]
        if outcome not in ("success", "failure") or not generation == loan.generation == self.generation:
            return
        if self.state != "half_open":
            self.report([Call(failed=outcome == "failure", slow=slow)], self.generation)
            return
        self.probes.append(outcome == "success" and not slow)
        if sum(self.probes) >= self.rules.required:
            self.recover()
        elif self.probes.count(False) > self.rules.permits - self.rules.required:
            self.open()

    def die(self, process: str) -> None:
        self.loans = {permit: loan for permit, loan in self.loans.items() if loan.holder != process}
        self.voters.discard(process)

    def control(self, action: str) -> None:
        overrides = {"force_open": "forced_open", "disable": "disabled", "shadow": "shadow"}
        if action in overrides:
            self.go(overrides[action])
        elif action == "reset" or self.state in overrides.values():
            self.close()

    def configure(self, rules: Rules) -> None:
        self.rules = rules
        if self.state == "ramping":
            self.recover()
        elif self.state in ("closed", "half_open", "shadow"):
            self.go(self.state)
        elif self.state == "open" and self.until is not None:
            self.until = min(self.until, self.now + rules.open_s_max)

    def succeed(self, generation: int, *, now: int, lost_s: int, known: bool) -> None:
        """Another owner takes over after `lost_s`, on a clock of its own; it knows the loans, or waits them out."""
        left = None if self.until is None else max(0, self.until - self.now - lost_s)
        shift = now - self.now - lost_s
        loans = {permit: replace(loan, until=loan.until + shift) for permit, loan in self.loans.items()}
        self.now, self.generation, self.calls, self.probes, self.voters = now, generation, [], [], set()
        self.loans = {permit: loan for permit, loan in loans.items() if known and loan.until > now}
        self.shut_until = now if known else now + self.rules.lease_s
        self.probed = False
        if self.state == "open":
            assert left is not None
            self.until = now + min(left, self.rules.open_s_max)
        elif self.state == "half_open":
            self.until = max(now, self.shut_until) + self.rules.half_open_s
        else:
            self.until = now + self.rules.ramp_step_s if self.state == "ramping" else None
        self.time(now)

    # -- what follows -----------------------------------------------------------------------------------------------

    def is_failing(self, minimum: int) -> bool:
        last, slow = self.counted(), self.rules.slow
        if not last or len(last) < minimum:
            return False
        if sum(call.failed for call in last) >= self.rules.failing * len(last):
            return True
        return slow is not None and sum(call.slow for call in last) >= slow * len(last)

    def counted(self) -> list[Call]:
        """The calls that are judged; those of a twentieth of a window of time leave it together, here a second's."""
        if self.rules.window_s is None:
            return self.calls[-self.rules.window :]
        return [call for call in self.calls if self.now - call.at < self.rules.window_s]

    def has_run(self, before: int) -> bool:
        """Whether a call since `before` ended so many failures in a row."""
        limit = self.rules.in_a_row
        ends = range(max(before + 1, limit or 0), len(self.calls) + 1)
        return limit is not None and any(all(call.failed for call in self.calls[end - limit : end]) for end in ends)

    def go(self, state: str) -> None:
        self.generation += 1
        self.state, self.step, self.probed = state, 0, False
        self.calls, self.probes, self.voters = [], [], set()
        self.until = max(self.now, self.shut_until) + self.rules.half_open_s if state == "half_open" else None

    def open(self, *, again: bool = True) -> None:
        self.openings += again
        self.go("open")
        self.until = self.now + min(self.rules.open_s_max, self.rules.open_s * 2 ** (self.openings - 1))

    def recover(self) -> None:
        if not self.rules.ramp:
            self.close()
            return
        self.go("ramping")
        self.until = self.now + self.rules.ramp_step_s

    def close(self) -> None:
        self.openings = 0
        self.go("closed")
