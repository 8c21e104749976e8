"""What a run's machine is told and what it wants done: events in the past tense, commands in the imperative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from experiments.ledger.entry import Step
    from experiments.model.experiment import Expected
    from experiments.model.faults import FaultKind
    from experiments.planning.plan import Hit, Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultOrder:
    """One fault on one target in one round.

    Attributes:
        fault_id: Its name within the run: place, round, target.
        place: Its step in the method.
        fault: What.
        hit: Whom.
        lease_s: From its arming to its end, seconds.
        how: Its other fields.
    """

    fault_id: str
    place: int
    fault: FaultKind
    hit: Hit
    lease_s: float
    how: dict[str, Any]


# -- events ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """The ledger took the run in; its first entry is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoArmed:
    """A watchdog holds the undo."""

    fault_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmFailed:
    """No watchdog holds it."""

    fault_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultInjected:
    """The injector did what it had to.

    Attributes:
        detail: What that was.
    """

    fault_id: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InjectFailed:
    """The injector could not; it may have done half of it."""

    fault_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InjectCalledOff:
    """An injection that was ordered will not be tried: its undo came before its turn."""

    fault_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultProven:
    """Something that does not depend on the injector saw the fault act.

    Attributes:
        evidence: What saw what.
    """

    fault_id: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultUndone:
    """Nothing is left of it.

    Attributes:
        by: runner, watchdog or itself.
        time: Which `UndoFault` of the fault it answers: an earlier one says nothing of what landed since. 0: it
            answers none, as a watchdog's.
    """

    fault_id: str
    by: str = "runner"
    time: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoFailed:
    """It is on still."""

    fault_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRequested:
    """A guard, the halt flag, the deadline or a person ends the run.

    Attributes:
        why: Who and why, in words.
    """

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Concluded:
    """The last probes were looked at.

    Attributes:
        verdict: What they come to.
        why: In words.
    """

    verdict: Expected
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFailed:
    """An entry could not be written."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed:
    """Nothing but time."""


Event = (
    RunStarted
    | UndoArmed
    | ArmFailed
    | FaultInjected
    | InjectFailed
    | InjectCalledOff
    | FaultProven
    | FaultUndone
    | UndoFailed
    | StopRequested
    | Concluded
    | RecordFailed
    | TimePassed
)

# -- commands -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Write this into the ledger, durably, before any command behind it is carried out.

    Where it cannot be written, what arms or injects behind it is left out; what undoes or ends is carried out still.
    At `arming` the shell adds the target's `undo`, as `Undo.as_data` has it: a successor needs nothing else.
    """

    step: Step
    fault_id: str = ""
    data: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginPhase:
    """What is measured from now on belongs to this round."""

    number: int
    phase: Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmUndo:
    """Give the undo to a watchdog that outlives this process."""

    order: FaultOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class InjectFault:
    """Inject it, but not once its watchdog is gone, because its lease is over or chaos is halted: that is a failure.

    Attributes:
        time: For those that come several times: which.
    """

    order: FaultOrder
    time: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoFault:
    """Undo it; then let its watchdog go, unless an injection of it is under way.

    Attributes:
        time: Which undo of the fault this is, from 1; its answer says so.
    """

    order: FaultOrder
    time: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ObserveAfter:
    """All is undone and settled: look at the hypothesis, and come to a verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndRun:
    """It is over, and so it is written.

    Attributes:
        left_on: Faults that could not be undone.
    """

    verdict: Expected
    why: str
    left_on: tuple[str, ...] = ()


Command = Record | BeginPhase | ArmUndo | InjectFault | UndoFault | ObserveAfter | EndRun
