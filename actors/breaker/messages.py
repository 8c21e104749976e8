"""What a breaker's machine is told and what it wants done: events in the past tense, commands in the imperative.

A process is named by whatever text the shell finds unique; the same one reports, holds permits and dies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from actors.breaker.cause import Action, Cause, CauseKind, Sample
from actors.breaker.outcome import Outcome
from actors.breaker.published import Published, State
from actors.breaker.rules import Trip

if TYPE_CHECKING:
    from actors.breaker.kept import Kept
    from actors.breaker.settings import BreakerSettings
    from actors.breaker.votes import Votes

__all__ = ["Action", "Cause", "CauseKind", "Sample", "Trip"]

# -- events ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomesReported:
    """A process tells of calls that ended; those with a permit are not among them.

    Attributes:
        reporter: The process.
        generation: The one that all these calls were admitted in.
        outcomes: An octet per call that counts, oldest first; see `outcome`.
        durations: How long those took that were measured: an octet for each, oldest first; see `latency`.
        refused: Calls that it did not let through since it last reported.
        neutral: Calls that were ignored or cancelled since then.
        samples: A few of those that failed.
    """

    reporter: str
    generation: int
    outcomes: bytes = b""
    durations: bytes = b""
    refused: int = 0
    neutral: int = 0
    samples: tuple[Sample, ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        """Thousands arrive at an owner in a second: this way each is made in a third of the time."""
        told = (self.reporter, self.generation, self.outcomes, self.durations, self.refused, self.neutral, self.samples)
        return _outcomes_reported, told


def _outcomes_reported(  # noqa: PLR0913, PLR0917 - its fields
    reporter: str,
    generation: int,
    outcomes: bytes,
    durations: bytes,
    refused: int,
    neutral: int,
    samples: tuple[Sample, ...],
) -> OutcomesReported:
    return OutcomesReported(
        reporter=reporter,
        generation=generation,
        outcomes=outcomes,
        durations=durations,
        refused=refused,
        neutral=neutral,
        samples=samples,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReporterSeated:
    """A process runs on this node; one of which nobody said so counts as a node of its own."""

    reporter: str
    node: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedLocally:
    """A process has opened itself, because its own calls broke a rule."""

    reporter: str
    generation: int
    trip: Trip


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedLocally:
    """A process that had opened itself has recovered: its probes succeeded."""

    reporter: str
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitRequested:
    """A process wants to probe.

    Attributes:
        holder: The process.
        request: Its own number of the request; the same one again is the same request, and gets the same permit.
    """

    holder: str
    request: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitEnded:
    """A process gives a permit back.

    Attributes:
        holder: The process.
        permit: The permit's number.
        generation: The one that the permit was granted in.
        outcome: "ignored" and "cancelled" give it back and say nothing.
        duration_s: How long the probe took, if that was measured, seconds.
        sample: The call, if it failed.
    """

    holder: str
    permit: int
    generation: int
    outcome: Outcome
    duration_s: float | None = None
    sample: Sample | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderDied:
    """A process is no more."""

    holder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed:
    """It is time for what `next_timer` said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWaitAnswered:
    """The user's function for `open_s` said how long; None when it failed."""

    generation: int
    wait_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlRequested:
    """Somebody wants another state."""

    action: Action
    who: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigureRequested:
    """Somebody wants other settings."""

    settings: BreakerSettings
    who: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRecovered:
    """This life of the owner takes over from one that was lost. Counts only before anything else happened.

    Attributes:
        kept: What the predecessor left, aged to this moment.
        unknown_leases_s: For how long a permit may be out that is not among those kept, seconds; 0 if none can.
    """

    kept: Kept
    unknown_leases_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LogAnswered:
    """The log was silent when this life began, and has now told what it has.

    Attributes:
        kept: What that is, aged to this moment.
        takes_state: Nobody has asked for a state since.
        takes_settings: Nobody has asked for settings since.
        takes_wait: Nothing at all has happened to the state since.
    """

    kept: Kept
    takes_state: bool
    takes_settings: bool
    takes_wait: bool


Event = (
    OutcomesReported
    | ReporterSeated
    | OpenedLocally
    | ClosedLocally
    | PermitRequested
    | PermitEnded
    | HolderDied
    | TimePassed
    | OpenWaitAnswered
    | ControlRequested
    | ConfigureRequested
    | StateRecovered
    | LogAnswered
)

# -- commands -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """Tell every process."""

    published: Published
    settings: BreakerSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordTransition:
    """Write a transition to the history; none may be lost.

    Attributes:
        before: The state that was left; the same as `after` when a person asked for what was there already.
        after: The state that holds from now on.
        generation: The one that begins.
        cause: Why.
        openings: Openings in a row.
        wait_s: How long it stays open, seconds; 0 for other states.
    """

    before: State
    after: State
    generation: int
    cause: Cause
    openings: int
    wait_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOpenWait:
    """Write to the history how long the opening of `generation` lasts: the user's function has said so, seconds."""

    generation: int
    wait_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordConfigured:
    """Write to the history that other settings hold from now on."""

    rules: int
    difference: tuple[str, ...]
    who: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantPermit:
    """Answer a request: one call may probe.

    Attributes:
        holder: Who asked.
        request: Its number of the request.
        permit: The permit's number.
        generation: What the probe is to be reported with.
        lease_s: How long until the permit is given to another, seconds.
    """

    holder: str
    request: int
    permit: int
    generation: int
    lease_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusePermit:
    """Answer a request: not now; after `retry_after_s` it may be otherwise."""

    holder: str
    request: int
    retry_after_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AskOpenWait:
    """Run the user's function for `open_s`, under no lock, and tell by `OpenWaitAnswered`."""

    generation: int
    openings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteAgreement:
    """Show how many have opened themselves.

    Attributes:
        votes: k of n.
        reporter: Whose vote came or went.
    """

    votes: Votes
    reporter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteWouldOpen:
    """Show that the breaker, were it not in shadow, would have opened."""

    generation: int
    cause: Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteRampStep:
    """Show that the ramp lets more through."""

    generation: int
    step: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteRecovered:
    """Show that this life has taken over.

    Attributes:
        state: The state that it found.
        shut_s: How long it waits out leases that it does not know, seconds.
    """

    state: State
    generation: int
    shut_s: float


Command = (
    Publish
    | RecordTransition
    | RecordOpenWait
    | RecordConfigured
    | GrantPermit
    | RefusePermit
    | AskOpenWait
    | NoteAgreement
    | NoteWouldOpen
    | NoteRampStep
    | NoteRecovered
)
