"""One incident: what is wrong with a component, and how far its recovery has come. Pure.

    detected --> diagnosed --> recovering <--> verifying --> resolved
                    |              |              |             ^
                    |              +--> escalated <             |
                    +--> verifying when its cause is mended     |
    any but resolved --it is well again by itself---------------+

An incident is a value that crosses processes: no instant is in it. It is written down before each step is taken, with
the step that is begun, so whoever goes on knows what may have been done.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from actors.recovery.strategies import SEVERITIES
from actors.runtime.settings import shown
from actors.runtime.wording import line_problems

if TYPE_CHECKING:
    from actors.healer.messages import TroubleReported
    from actors.recovery.course import Outcome, Step, Taken
    from actors.recovery.strategies import Severity, Strategy

Phase = Literal["detected", "diagnosed", "recovering", "verifying", "resolved", "escalated"]

LEGAL: dict[Phase, tuple[Phase, ...]] = {
    "detected": ("diagnosed", "resolved"),
    "diagnosed": ("recovering", "verifying", "resolved", "escalated"),
    "recovering": ("verifying", "resolved", "escalated"),
    "verifying": ("recovering", "resolved", "escalated"),
    "escalated": ("resolved",),
    "resolved": (),
}

NAME_MAX = 256
"""Characters of the name of a component, or of a class of failure."""

HISTORY_MAX = 200
"""Steps and phases that an incident remembers, the latest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of an incident's history.

    Attributes:
        what: A phase, or a strategy and an action.
        outcome: How a step ended; empty for a phase.
        detail: In words.
        after_s: How long after the incident was detected, seconds.
    """

    what: str
    outcome: Outcome | Literal[""] = ""
    detail: str = ""
    after_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One incident at one moment.

    Attributes:
        incident_id: Its name, unique over all lives of the healer.
        component: What is sick.
        failure: The class of failure.
        severity: The worst that was reported.
        detail: What the first report said.
        source: Who reported it: health, breaker, supervisor, task, call.
        node: The node that it fails on, if that is known.
        child: The key of the supervised child that its component is, where the name does not say so.
        labels: Those of the nodes whose healers take its steps.
        trace_id: The trace that all its steps are in.
        phase: How far it has come.
        strategies: What is tried, in this order.
        position: Which of them is.
        taken: The steps of that one that have ended.
        begun: The step that is on record as begun and whose end is not.
        caused_by: The incident of a dependency that this one waits for, or waited for.
        call: The call whose function can be run again; empty if there is none, or it has its answer.
        reports: How often it was reported.
        verified: Whether a probe said that it is well again.
        result: What its function returned, as it travels, until its call has it.
        owner: Who has taken it over, if somebody has.
        version: Counts its records.
        history: What happened, the latest last.
    """

    incident_id: str
    component: str
    failure: str
    severity: Severity
    detail: str = ""
    source: str = ""
    node: str = ""
    child: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    trace_id: str = ""
    phase: Phase = "detected"
    strategies: tuple[Strategy, ...] = ()
    position: int = 0
    taken: tuple[Taken, ...] = ()
    begun: Step | None = None
    caused_by: str = ""
    call: str = ""
    reports: int = 1
    verified: bool = False
    result: Any = None
    owner: str = ""
    version: int = 0
    history: tuple[Entry, ...] = ()

    @property
    def target(self) -> str:
        """What is restarted, restored or isolated: the child that its component is, or of its name."""
        return self.child or self.component

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be tried."""
        return self.phase in ("resolved", "escalated")

    @property
    def escalated_after_s(self) -> float:
        """How long after it was detected people had to take it over, seconds; 0 for one that they had not."""
        return next((entry.after_s for entry in reversed(self.history) if entry.what == "escalated"), 0.0)

    def noted(self, entry: Entry) -> Incident:
        """The same, with a line more."""
        return replace(self, history=(*self.history, entry)[-HISTORY_MAX:])


def moved(incident: Incident, phase: Phase, *, detail: str, after_s: float) -> Incident:
    """The incident in another phase.

    Raises:
        ValueError: It cannot come there from where it is; says how it came there.
    """
    if phase not in LEGAL[incident.phase]:
        way = " -> ".join(entry.what for entry in incident.history)
        raise ValueError(f"incident {incident.incident_id} cannot go from {incident.phase} to {phase} ({way})")
    return replace(incident, phase=phase).noted(Entry(what=phase, detail=detail, after_s=after_s))


def incident_of(event: TroubleReported, incident_id: str) -> Incident:
    """The incident that a report begins."""
    return Incident(
        incident_id=incident_id,
        component=event.component,
        failure=event.failure,
        severity=event.severity,
        detail=event.detail,
        source=event.source,
        node=event.node,
        child=event.child,
        trace_id=event.trace_id,
        call=event.call,
    )


def problems_of_trouble(component: object, failure: object, severity: object) -> tuple[str, ...]:
    """What is wrong with what somebody reports; each problem begins with its field."""
    problems = [
        f"{field}: {shown(name)} is no name; give a text of 1 to {NAME_MAX} characters, as {example!r}"
        for field, name, example in (("component", component, "payment-service"), ("failure", failure, "network"))
        if not isinstance(name, str) or not 1 <= len(name) <= NAME_MAX
    ]
    texts = {"component": component, "failure": failure}
    problems += line_problems(**{field: name for field, name in texts.items() if isinstance(name, str)})
    if severity not in SEVERITIES:
        problems.append(f"severity: {shown(severity)} is none; there are {', '.join(SEVERITIES)}")
    return tuple(problems)
