"""What would mend what an experiment found: one setting each, the events that speak for it, and its change as a value.

A recommendation without an event is an opinion, and is not made. They are ranked by how bad the finding is, then by how
many events speak for it. A change is a value: whoever runs the supervisor applies it, and a second run shows the
finding gone. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from experiments.judging.facts import FaultFact, LogFact, Observations
    from experiments.model.experiment import Chaos

FindingKind = Literal[
    "slow_recovery",
    "slow_detection",
    "given_up",
    "effects_doubled",
    "workers_exhausted",
    "no_timeout",
    "breaker_stayed_closed",
]

_BADNESS: Mapping[FindingKind, int] = {
    "effects_doubled": 90,
    "given_up": 80,
    "workers_exhausted": 60,
    "slow_detection": 50,
    "slow_recovery": 40,
    "breaker_stayed_closed": 30,
    "no_timeout": 20,
}

_OWN_STEPS = ("undone/", "injected/")
"""A step of the run whose row is not in the log, so far: nobody could look it up."""

_OTHERWISE = ("CircuitOpenError", "WorkerLostError")
"""Failures of tasks that no breaker could have opened for."""

_EVENTS_MAX = 20
_DETECT_SHARE = 0.8
_SLOW_TIMES = 3.0
_HANG_TIMEOUT_LEAST_S = 0.2

Settings = dict[str, dict[str, Any]]
"""What is set, by subject (`child/cart`, `pool/default`, `group/shop`, `breaker/payments`, `policy`) and field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChange:
    """One setting of one subject, as it is and as it should be."""

    subject: str
    setting: str
    before: Any
    after: Any

    def applied(self, settings: Mapping[str, Mapping[str, Any]]) -> Settings:
        """The settings with this change."""
        changed = {subject: dict(fields) for subject, fields in settings.items()}
        changed.setdefault(self.subject, {})[self.setting] = self.after
        return changed

    def __str__(self) -> str:
        return f"{self.subject}: {self.setting} {self.before} -> {self.after}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """One change, and why.

    Attributes:
        number: From 1, the strongest first; `REPORT#1` names it.
        finding: What was found.
        why: The same in a sentence, with the numbers measured.
        change: What would mend it.
        events: Ids of the rows of the event log that speak for it.
    """

    number: int
    finding: FindingKind
    why: str
    change: SettingsChange
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What recommendations are drawn from.

    Attributes:
        seen: What a verdict rests on, too.
        events: Rows of the log since the run began.
        settings: What was set then.
        group_of: The group of each child and the pool of each worker, as `group/shop` or `pool/default`.
        failures: Failed tasks by the type of their error, with the ids of their rows.
        deaths: How often the plan ends each target.
        taken: The rows of the run's own steps, by step and fault, as `injected/0.1.worker/w0`.
    """

    seen: Observations
    events: Sequence[LogFact]
    settings: Settings
    group_of: Mapping[str, str] = field(default_factory=dict[str, str])
    failures: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])
    deaths: Mapping[str, int] = field(default_factory=dict[str, int])
    taken: Mapping[str, str] = field(default_factory=dict[str, str])

    def injections(self) -> tuple[str, ...]:
        """The rows that tell of each injection."""
        found = (self.taken.get(f"injected/{fault.fault_id}", "") for fault in self.seen.faults)
        return tuple(event for event in found if event)


def recommend(evidence: Evidence, chaos: Chaos) -> tuple[Recommendation, ...]:
    """All that follows from the evidence, the strongest first."""
    drafts = [
        *_slow_recovery(evidence, chaos),
        *_slow_detection(evidence, chaos),
        *_given_up(evidence),
        *_tasks(evidence),
        *_timeouts(evidence, chaos),
        *_breakers(evidence),
    ]
    cited = [draft for draft in _merged(drafts) if draft.events and draft.change.before != draft.change.after]
    cited.sort(key=lambda draft: (-_BADNESS[draft.finding], -len(draft.events), str(draft.change)))
    return tuple(
        Recommendation(
            number=number, finding=draft.finding, why=draft.why, change=draft.change, events=draft.events[:_EVENTS_MAX]
        )
        for number, draft in enumerate(cited, start=1)
    )


def _draft(finding: FindingKind, why: str, change: SettingsChange, events: Iterable[str]) -> Recommendation:
    kept = tuple(dict.fromkeys(event for event in events if event and not event.startswith(_OWN_STEPS)))
    return Recommendation(number=0, finding=finding, why=why, change=change, events=kept)


def _merged(drafts: Iterable[Recommendation]) -> list[Recommendation]:
    """One of each change; what speaks for it is put together."""
    found: dict[tuple[FindingKind, str, str], Recommendation] = {}
    for draft in drafts:
        key = (draft.finding, draft.change.subject, draft.change.setting)
        former = found.get(key)
        events = draft.events if former is None else (*former.events, *draft.events)
        found[key] = _draft(draft.finding, draft.why, draft.change, events)
    return list(found.values())


def _set(evidence: Evidence, subject: str, setting: str, default: Any = None) -> Any:
    return evidence.settings.get(subject, {}).get(setting, default)


def _slow_recovery(evidence: Evidence, chaos: Chaos) -> Iterator[Recommendation]:
    limit_s = chaos.limits.recover_s
    for fault in evidence.seen.faults:
        took_s = fault.recover_s
        if limit_s is None or took_s is None or took_s <= limit_s:
            continue
        subject = evidence.group_of.get(fault.target, fault.target)
        subject = subject if subject.startswith("pool/") else fault.target
        standbys = int(_set(evidence, subject, "standbys", 0))
        change = SettingsChange(subject=subject, setting="standbys", before=standbys, after=standbys + 1)
        why = f"{fault.target} was whole again after {took_s:.3g} s, {limit_s:g} is the limit; a standby takes over"
        yield _draft("slow_recovery", why, change, (fault.detected_by, fault.recovered_by))


def _slow_detection(evidence: Evidence, chaos: Chaos) -> Iterator[Recommendation]:
    limit_s = chaos.limits.detect_s
    for fault in evidence.seen.faults:
        took_s = fault.detect_s
        if fault.fault != "hang" or limit_s is None or took_s is None or took_s <= limit_s:
            continue
        subject = _owner(fault, evidence)
        before = _set(evidence, subject, "hang_timeout_s")
        after = round(max(_HANG_TIMEOUT_LEAST_S, limit_s * _DETECT_SHARE), 3)
        change = SettingsChange(subject=subject, setting="hang_timeout_s", before=before, after=after)
        why = f"{fault.target} hung for {took_s:.3g} s before it was seen, {limit_s:g} is the limit"
        yield _draft("slow_detection", why, change, (fault.detected_by,))


def _owner(fault: FaultFact, evidence: Evidence) -> str:
    group = evidence.group_of.get(fault.target, "")
    return group if group.startswith("pool/") else fault.target


def _given_up(evidence: Evidence) -> Iterator[Recommendation]:
    """A group that was given up for what an experiment did to it: it allows fewer restarts than that."""
    for event in evidence.events:
        if event.event != "given_up":
            continue
        group = evidence.group_of.get(event.subject, event.subject)
        deaths = [each for each in evidence.events if each.event == "died" and _of(group, each, evidence)]
        before = int(_set(evidence, group, "intensity", 1))
        planned = sum(times for name, times in evidence.deaths.items() if evidence.group_of.get(name, name) == group)
        after = max(before + 1, len(deaths), planned)  # fewer, and the same would end it again
        change = SettingsChange(subject=group, setting="intensity", before=before, after=after)
        why = f"{group} was given up after {len(deaths)} deaths; it allows {before}"
        yield _draft("given_up", why, change, (event.event_id, *(each.event_id for each in deaths)))


def _of(group: str, event: LogFact, evidence: Evidence) -> bool:
    return evidence.group_of.get(event.subject, event.subject) == group


def _tasks(evidence: Evidence) -> Iterator[Recommendation]:
    checked = evidence.seen.checked
    deaths = tuple(event.event_id for event in evidence.events if event.event == "died") + evidence.injections()
    if checked is not None and checked.doubled.count:
        before = _set(evidence, "policy", "unknown", "retry")
        change = SettingsChange(subject="policy", setting="unknown", before=before, after="never")
        why = f"{checked.doubled.count} keys had more than one effect: an attempt whose end is unknown was tried again"
        yield _draft("effects_doubled", why, change, deaths)
    rows = evidence.failures.get("WorkerLostError", ())
    if rows:
        attempts = int(_set(evidence, "policy", "attempts", 3))
        change = SettingsChange(subject="policy", setting="attempts", before=attempts, after=attempts + 2)
        why = f"{len(rows)} tasks lost their worker on each of {attempts} attempts"
        yield _draft("workers_exhausted", why, change, rows)


def _timeouts(evidence: Evidence, chaos: Chaos) -> Iterator[Recommendation]:
    """Calls that waited as long as the fault wanted, because nothing ends them."""
    slow = [fault for fault in evidence.seen.faults if fault.fault in ("latency", "hang") and fault.evidence]
    shift = evidence.seen.shift
    if not slow or shift is None or _set(evidence, "policy", "timeout_s") is not None:
        return
    baseline = sorted(call.duration_s for call in evidence.seen.in_phase("baseline"))
    if not baseline or not shift.is_real(alpha=chaos.interleaving.alpha, least_s=chaos.interleaving.least_effect_s):
        return
    usual_s = baseline[min(len(baseline) - 1, int(len(baseline) * 0.99))]
    after = float(f"{max(0.05, usual_s * _SLOW_TIMES):.3g}")
    change = SettingsChange(subject="policy", setting="timeout_s", before=None, after=after)
    why = f"calls took {shift.shift_s:.3g} s longer under the fault; 99 % take up to {usual_s:.3g} s without it"
    told = [event for fault in slow for event in (fault.detected_by, fault.recovered_by)]
    events = [*told, *(evidence.taken.get(f"injected/{fault.fault_id}", "") for fault in slow)]
    yield _draft("no_timeout", why, change, events)


def _breakers(evidence: Evidence) -> Iterator[Recommendation]:
    """A breaker that did not open while the tasks of a dependency failed; only where there is no other breaker."""
    subjects = [name for name, fields in evidence.settings.items() if name.startswith("breaker/") and fields]
    hit = any(fault.target.startswith("dependency/") and fault.evidence for fault in evidence.seen.faults)
    if not hit or len(subjects) != 1 or "failure_rate" not in evidence.settings[subjects[0]]:
        return
    (subject,) = subjects
    failures = [row for name, rows in evidence.failures.items() if name not in _OTHERWISE for row in rows]
    if any(event.subject == subject and event.event == "opened" for event in evidence.events):
        return
    share = evidence.seen.error_share or 0.0
    rate = float(evidence.settings[subject]["failure_rate"])
    if not 0 < share < rate:
        return
    change = SettingsChange(
        subject=subject, setting="failure_rate", before=rate, after=float(f"{max(0.05, share / 2):.2g}")
    )
    why = f"{share:.1%} of the tasks failed and {subject} stayed closed: it opens at {rate:.0%}"
    yield _draft("breaker_stayed_closed", why, change, failures)
