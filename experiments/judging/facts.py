"""What was seen of an experiment, as plain values. Pure.

Times are seconds since the run began; an event is cited by the id that it has in the event log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from experiments.checker import Checked
    from experiments.judging.ranks import Shift
    from experiments.model.faults import FaultKind
    from experiments.planning.plan import Phase

When = Literal["before", "during", "after"]

CallPhase = Literal["baseline", "fault", "between"]
"""Of a call: in a round without the fault; while the fault is on; or neither, before it is on and while all settles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeFact:
    """A probe's value, held against its tolerance; `held` is None if it could not be judged."""

    name: str
    when: When
    at_s: float
    held: bool | None
    why: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class CallFact:
    """A task of the load: when and in which phase it was submitted, how long it took, and how it ended."""

    at_s: float
    duration_s: float
    ok: bool
    phase: CallPhase


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFact:
    """A row of the event log.

    Attributes:
        event_id: What it is cited by, as `children/417`.
        at_s: When.
        subject: Whom it is about, as a target's name.
        event: What happened, in the log's word.
        incarnation: Which life; 0 where there are none.
        detail: In words.
    """

    event_id: str
    at_s: float
    subject: str
    event: str
    incarnation: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StrikeFact:
    """One time that a crash hit a life of its target, and what followed.

    Attributes:
        at_s: When.
        life: Which incarnation; 0: that is not known.
        detected_at_s: When the cluster saw it.
        recovered_at_s: When its target was whole again, before it was hit once more.
        recovered_by: The event that tells so.
        loss: Why there is no recovery of its own.
    """

    at_s: float
    life: int = 0
    detected_at_s: float | None = None
    recovered_at_s: float | None = None
    recovered_by: str = ""
    loss: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultFact:
    """One fault and what followed.

    Attributes:
        fault_id: Its name in the run.
        fault: What.
        target: Whom.
        injected_at_s: When; None: it was not.
        undone_at_s: When nothing was left of it.
        evidence: What saw it act, independent of its injector; nothing: nothing did.
        detected_at_s: When the cluster saw it.
        detected_by: The event that tells so.
        recovered_at_s: When its target was whole again.
        recovered_by: The event that tells so.
        loss: Why there is no recovery, if that is known.
        lasts: It was on before the run, and goes on until the cluster ends.
        strikes: Of a crash that hits several lives each time; it has recovered when it has from every one of them.
    """

    fault_id: str
    fault: FaultKind
    target: str
    injected_at_s: float | None = None
    undone_at_s: float | None = None
    evidence: str = ""
    detected_at_s: float | None = None
    detected_by: str = ""
    recovered_at_s: float | None = None
    recovered_by: str = ""
    loss: str = ""
    lasts: bool = False
    strikes: tuple[StrikeFact, ...] = ()

    @property
    def detect_s(self) -> float | None:
        """From its injection to its detection, seconds; of several strikes the longest."""
        if len(self.strikes) > 1:
            return _longest(_between(each.at_s, each.detected_at_s) for each in self.strikes)
        return _between(self.injected_at_s, self.detected_at_s)

    @property
    def recover_s(self) -> float | None:
        """From its injection to its recovery, seconds; of several strikes the longest."""
        if len(self.strikes) > 1:
            return _longest(_between(each.at_s, each.recovered_at_s) for each in self.strikes)
        return _between(self.injected_at_s, self.recovered_at_s)


def _longest(times: Iterable[float | None]) -> float | None:
    """None as soon as one of them is not known."""
    known = list(times)
    return None if None in known else max(each for each in known if each is not None)


def _between(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else max(0.0, second - first)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """Everything that a verdict rests on; None and empty: it was not measured.

    Attributes:
        probes: The hypothesis before, during and after.
        faults: Each fault.
        calls: The load.
        checked: What its history came to.
        asked_again: Effects that were asked for again, of keys that had one; None: there was no witness.
        shift: How much slower it was under the fault.
        broken: Invariants that were broken, in words: breakers, restarts, hits outside the selection.
        invariants_seen: Whether the log could be read to look at them.
        acknowledged: Durable calls that were answered; None: none was asked for.
        refused: Those that failed.
        forgotten: Of those that were answered the ones that nobody knows of in the end; None: nobody could be asked.
    """

    probes: tuple[ProbeFact, ...] = ()
    faults: tuple[FaultFact, ...] = ()
    calls: tuple[CallFact, ...] = ()
    checked: Checked | None = None
    asked_again: int | None = None
    shift: Shift | None = None
    broken: tuple[str, ...] = ()
    invariants_seen: bool = False
    acknowledged: int | None = None
    refused: int = 0
    forgotten: tuple[str, ...] | None = None

    def in_phase(self, phase: Phase) -> list[CallFact]:
        """The load of the rounds of one kind."""
        return [call for call in self.calls if call.phase == phase]

    @property
    def failed(self) -> int:
        """Calls that failed."""
        return sum(not call.ok for call in self.calls)

    @property
    def error_share(self) -> float | None:
        """Of those attempted."""
        return self.failed / len(self.calls) if self.calls else None

    def budget(self, objective: float) -> float | None:
        """The share of the error budget of these calls that was burned; 1: all of it."""
        return None if self.error_share is None else self.error_share / (1 - objective)

    def worst(self, what: Literal["detect_s", "recover_s"]) -> float | None:
        """The longest time of all faults that were injected; None if it is not known of one of them."""
        times = [getattr(fault, what) for fault in self.faults if fault.injected_at_s is not None]
        return None if not times or None in times else max(times)
