"""What the healer's machine is told and what it wants done: events in the past tense, commands in the imperative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.healer.incident import Incident, Phase
    from actors.healer.routing import Healer
    from actors.healer.settings import PlanRule
    from actors.notifier.messages import AlertEnd
    from actors.recovery.course import Outcome, Step
    from actors.recovery.strategies import Severity, Strategy

Verdict = Literal["passed", "failed", "unprobed"]
"""What the component's probe says; "unprobed" when it has none."""

CallAnswer = Literal["result", "again", "exhausted"]

# -- events ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TroubleReported:
    """Something is wrong with a component.

    Attributes:
        component: Which.
        failure: The class of failure; with the component it is the incident's cause.
        severity: How bad it is.
        detail: In words, scrubbed.
        source: Who says so: health, breaker, supervisor, task, call.
        began_ago_s: How long it has lasted, seconds.
        node: Where it fails, if that is known.
        child: The key of the supervised child that it is, where its name does not say so.
        call: The call that waits for the recovery, if one does.
        trace_id: Its trace.
    """

    component: str
    failure: str
    severity: Severity = "medium"
    detail: str = ""
    source: str = ""
    began_ago_s: float = 0.0
    node: str = ""
    child: str = ""
    call: str = ""
    trace_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TroubleEnded:
    """A component's probe says that it is well.

    Attributes:
        component: Which.
        failure: The class of failure that is over; empty: all.
    """

    component: str
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAbandoned:
    """A call waits no more: its process is gone, or its patience is."""

    call: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DependenciesChanged:
    """These components depend on those.

    Attributes:
        depends_on: All that this one says; it replaces what it said before.
        by: Who says so: somebody by hand, or the health monitor by what is registered there.
    """

    depends_on: Mapping[str, tuple[str, ...]]
    by: Literal["user", "health"] = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSet:
    """Somebody says what is tried for whom; incidents that are diagnosed already keep their plan."""

    rule: PlanRule


@dataclass(frozen=True, slots=True, kw_only=True)
class HealersChanged:
    """These healers live; steps of others are lost."""

    healers: tuple[Healer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRecorded:
    """What was to be written is; it outlives every process."""

    incident_id: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEnded:
    """A step ended.

    Attributes:
        incident_id: Whose.
        version: That of the record under which it was run.
        outcome: How.
        detail: In words, scrubbed.
        result: What a called function returned, as it travels.
    """

    incident_id: str
    version: int
    outcome: Outcome
    detail: str = ""
    result: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationEnded:
    """A component's probe was asked."""

    incident_id: str
    number: int
    verdict: Verdict
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """A person has taken an incident over."""

    incident_id: str
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRequested:
    """An operator wants nothing to heal a component."""

    component: str
    who: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRequested:
    """An operator lets it be healed again."""

    component: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonsTaken:
    """Somebody brings what another cluster has learned, as rows that were checked."""

    lessons: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningReset:
    """Somebody wants what was learned of a component, or all, to be forgotten."""

    component: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed:
    """It is time for what `next_timer` said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRecovered:
    """This life takes over from one that was lost. Counts only before anything else happened."""

    kept: KeptHealer


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsFound:
    """What earlier lives had people told of, and that lasts for them."""

    incidents: tuple[str, ...]


Event = (
    TroubleReported
    | TroubleEnded
    | CallAbandoned
    | DependenciesChanged
    | PlanSet
    | HealersChanged
    | IncidentRecorded
    | StepEnded
    | VerificationEnded
    | Acknowledged
    | HoldRequested
    | ReleaseRequested
    | LearningReset
    | LessonsTaken
    | TimePassed
    | JournalRecovered
    | AlertsFound
)

# -- commands -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordIncident:
    """Write an incident to the journal, in place of its former record, and confirm with `IncidentRecorded`."""

    incident: Incident


@dataclass(frozen=True, slots=True, kw_only=True)
class TellPhase:
    """Tell subscribers, the notifier and the log of an incident's new phase; `before` is None for a new incident."""

    incident: Incident
    before: Phase | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndAlert:
    """Tell those who were told of an incident how it ends for them; in order, and nobody who was not told.

    Attributes:
        incident_id: Which.
        how: How.
        detail: In words.
    """

    incident_id: str
    how: AlertEnd
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStep:
    """Have a healer take a step, and tell by `StepEnded`; its record is confirmed.

    Attributes:
        healer: Which.
        incident: Whose step it is.
        strategy: What the step belongs to.
        step: What is to be done; past its timeout it is to be ended.
    """

    healer: str
    incident: Incident
    strategy: Strategy
    step: Step


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelStep:
    """A step takes too long, or is wanted no more: end it."""

    healer: str
    incident_id: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verify:
    """Ask a component's probe, and tell by `VerificationEnded`."""

    incident_id: str
    component: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCall:
    """Tell a call that waits.

    Attributes:
        call: Which.
        answer: "result": here it is; "again": its component is well, call the function again; "exhausted": nothing
            helped, raise `RecoveryExhaustedError` with the incident.
        incident: The incident.
        result: What the function returned.
    """

    call: str
    answer: CallAnswer
    incident: Incident
    result: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordHold:
    """Write to the log that a component is held; who is None when it was released."""

    component: str
    who: str | None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPlan:
    """Write to the log what is tried for whom from now on."""

    rule: PlanRule


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLesson:
    """Write to the log what is known of a strategy now; `tries` is 0 when it was forgotten."""

    component: str
    failure: str
    strategy: str
    tries: int
    successes: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteDropped:
    """Show that a report was dropped: too many incidents are open."""

    component: str
    failure: str
    limit: int


Command = (
    RecordIncident
    | TellPhase
    | EndAlert
    | RunStep
    | CancelStep
    | Verify
    | AnswerCall
    | RecordHold
    | RecordPlan
    | RecordLesson
    | NoteDropped
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptIncident:
    """An incident as it was last recorded, how long ago it was detected, and which calls wait beside its own."""

    incident: Incident
    age_s: float
    began_ago_s: float = 0.0
    calls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptHealer:
    """What a successor must know; no instant is in it.

    Attributes:
        incidents: Those that were open, and those that people had taken over for a while yet.
        holds: Who holds which component, and why.
        plans: What was set by `PlanSet`.
        lessons: What was learned, see `Learning.export`.
        depends_on: Which components depend on which.
    """

    incidents: tuple[KeptIncident, ...] = ()
    holds: Mapping[str, tuple[str, str]]
    plans: tuple[PlanRule, ...] = ()
    lessons: tuple[Mapping[str, Any], ...] = ()
    depends_on: Mapping[str, tuple[str, ...]]
