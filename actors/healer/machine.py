"""The healer: which incidents there are, and what is done about each. Pure: events in, commands out.

    reported --> detected --> diagnosed --its turn--> recovering <--> verifying --> resolved | escalated
                                  ^
       waits here: for the incident of a dependency, for an operator's release, for the limit, for a healer

One incident per component and failure class; who reports the same again joins it. One whose component depends,
however far away, on one with an open incident waits for that one, and is then verified before anything is tried: most
are well again with their cause. How one recovery goes on is told in `steps`, whose turn it is in `standing`.

Time that is over is settled before each event. A `now` before the latest one counts as the latest.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from actors.healer import messages as m
from actors.healer import steps
from actors.healer.case import Case
from actors.healer.choice import Choice, choose
from actors.healer.incident import Entry, Incident, incident_of
from actors.healer.standing import Standing
from actors.healer.statistics import HealerStatistics
from actors.recovery.course import Taken
from actors.recovery.strategies import SEVERITIES

if TYPE_CHECKING:
    from random import Random

    from actors.healer.settings import HealerSettings


class HealerMachine:
    """The healer of one supervisor, in one life.

    Args:
        settings: Plans and bounds.
        rng: The source of chance; only waits draw from it.
        life: The name of the life, unique over all: incidents are named after it.
        now: The moment, monotonic seconds.
    """

    def __init__(self, settings: HealerSettings, *, rng: Random, life: str = "1", now: float) -> None:
        self._s = Standing(settings, rng=rng, now=now)
        self._life = life
        self._order = 0
        self._fresh = True

    def handle(self, event: m.Event, now: float) -> list[m.Command]:
        """What follows from `event` at `now`, monotonic seconds; in the order to be carried out."""
        self._s.now = max(self._s.now, now)
        self._settle()
        self._dispatch(event)
        self._unblock()
        steps.fill(self._s)
        while self._unblock():  # a cause may be over by what has just begun
            steps.fill(self._s)
        self._fresh = False
        return self._s.take_commands()

    def next_timer(self) -> float | None:
        """When `TimePassed` is due, monotonic seconds, or None."""
        return self._s.next_at()

    # -- what people ask ----------------------------------------------------------------------------------------------

    def incidents(self, *, open_only: bool = False) -> tuple[Incident, ...]:
        """Those that are open, oldest first; else also those that are remembered, before them."""
        current = [case.incident for case in self._s.cases.values()]
        if open_only:
            return tuple(each for each in current if not each.is_over)
        return (*self._s.closed, *current)

    def statistics(self) -> HealerStatistics:
        """What has happened in this life."""
        doing = [case.doing for case in self._s.cases.values()]
        tally = self._s.tally
        return HealerStatistics(
            total=replace(tally.total),
            components={name: replace(counts) for name, counts in tally.components.items()},
            strategies={name: replace(counts) for name, counts in tally.strategies.items()},
            open=len(doing) - doing.count("over"),
            in_flight=self._s.active,
            waiting=doing.count("ready"),
            dropped=tally.dropped,
        )

    def dry_run(self, event: m.TroubleReported) -> Choice:
        """What would be tried if that were reported now, and why; nothing is changed."""
        return self._choose(incident_of(event, "dry run"))

    def lessons(self) -> list[dict[str, object]]:
        """What was learned, as rows."""
        return self._s.learning.export()

    def holds(self) -> dict[str, tuple[str, str]]:
        """Who holds which component, and why."""
        return dict(self._s.holds)

    def detect_s(self, incident_id: str) -> float:
        """How long an incident's trouble had lasted when it was detected, seconds; 0 for one that is not open."""
        case = self._s.cases.get(incident_id)
        return 0.0 if case is None else case.detect_s

    def awaits(self, call: str) -> bool:
        """Whether a call waits for an open incident."""
        return any(call == case.incident.call or call in case.calls for case in self._s.cases.values())

    def kept(self) -> m.KeptHealer:
        """What a successor must know; it is told by the journal, and by this where a copy is at hand."""
        return m.KeptHealer(
            incidents=tuple(
                m.KeptIncident(
                    incident=case.incident,
                    age_s=self._s.now - case.detected_at,
                    began_ago_s=case.detect_s,
                    calls=tuple(case.calls),
                )
                for case in self._s.cases.values()
            ),
            holds=dict(self._s.holds),
            plans=tuple(self._s.plans),
            lessons=tuple(self._s.learning.export()),
            depends_on=dict(self._s.depends_on),
        )

    # -- events -------------------------------------------------------------------------------------------------------

    def _dispatch(self, event: m.Event) -> None:
        match event:
            case m.TroubleReported():
                self._on_reported(event)
            case m.TroubleEnded():
                self._on_ended(event)
            case m.IncidentRecorded() | m.StepEnded() | m.VerificationEnded() | m.Acknowledged():
                self._on_progress(event)
            case m.HealersChanged():
                self._on_healers(event)
            case m.JournalRecovered():
                self._on_recovered(event.kept)
            case m.AlertsFound():
                self._on_alerts(event.incidents)
            case m.TimePassed():
                pass  # all that is due was settled
            case _:
                self._on_request(event)

    def _on_progress(self, event: m.IncidentRecorded | m.StepEnded | m.VerificationEnded | m.Acknowledged) -> None:
        case = self._s.cases.get(event.incident_id)
        if case is None:
            return
        match event:
            case m.IncidentRecorded():
                steps.on_recorded(self._s, case, event.version)
            case m.StepEnded():
                steps.on_step_ended(self._s, case, event)
            case m.VerificationEnded():
                steps.on_verified(self._s, case, event)
            case m.Acknowledged():
                self._on_acknowledged(case, event.who)
            case _:
                assert_never(event)

    def _on_request(
        self,
        event: m.CallAbandoned
        | m.DependenciesChanged
        | m.PlanSet
        | m.HoldRequested
        | m.ReleaseRequested
        | m.LearningReset
        | m.LessonsTaken,
    ) -> None:
        match event:
            case m.CallAbandoned():
                self._on_abandoned(event.call)
            case m.DependenciesChanged():
                self._s.depend(event.depends_on, by=event.by)
            case m.PlanSet():
                if self._s.plan(event.rule):
                    self._s.emit(m.RecordPlan(rule=event.rule))
            case m.HoldRequested():
                self._s.holds[event.component] = (event.who, event.reason)
                self._s.emit(m.RecordHold(component=event.component, who=event.who, reason=event.reason))
            case m.ReleaseRequested():
                if self._s.holds.pop(event.component, None) is not None:
                    self._s.emit(m.RecordHold(component=event.component, who=None))
                    self._s.release(event.component)
            case m.LearningReset() | m.LessonsTaken():
                learning = self._s.learning
                is_over = isinstance(event, m.LearningReset)
                for row in learning.reset(event.component) if is_over else learning.take(event.lessons):
                    self._s.emit(m.RecordLesson(**row))
            case _:
                assert_never(event)

    # -- incidents ----------------------------------------------------------------------------------------------------

    def _on_reported(self, event: m.TroubleReported) -> None:
        if event.call:
            self._s.budget.first(self._s.now)
        known = self._s.cases.get(self._s.causes.get((event.component, event.failure), ""))
        if known is not None:
            self._join(known, event)
        elif len(self._s.cases) >= self._s.settings.open_max:
            self._s.tally.dropped += 1
            limit = self._s.settings.open_max
            self._s.emit(m.NoteDropped(component=event.component, failure=event.failure, limit=limit))
            if event.call:
                incident = incident_of(event, "none: too many are open")
                self._s.emit(m.AnswerCall(call=event.call, answer="exhausted", incident=incident))
        else:
            self._open(event)

    def _join(self, case: Case, event: m.TroubleReported) -> None:
        """The same trouble again; what made it worse counts from its next turn on."""
        incident = case.incident
        if event.call and event.call in (incident.call, *case.calls):
            return  # it asks again, of a life that knows it
        severity = max(incident.severity, event.severity, key=SEVERITIES.index)
        case.incident = replace(incident, reports=incident.reports + 1, severity=severity)
        if not event.call:
            return
        if incident.phase == "escalated" or len(case.calls) >= self._s.settings.calls_max:
            self._s.emit(m.AnswerCall(call=event.call, answer="exhausted", incident=case.incident))
        else:
            case.calls.append(event.call)

    def _open(self, event: m.TroubleReported) -> None:
        self._order += 1
        incident = incident_of(event, f"{self._life}.{self._order}")
        incident = incident.noted(Entry(what="detected", detail=event.detail))
        case = Case(incident, order=self._order, detected_at=self._s.now, detect_s=max(0.0, event.began_ago_s))
        self._admit(case, lasts_s=self._s.settings.incident_timeout_s)
        self._s.record(case)
        self._s.emit(m.TellPhase(incident=case.incident, before=None))
        self._diagnose(case)

    def _admit(self, case: Case, *, lasts_s: float) -> None:
        incident = case.incident
        self._s.cases[incident.incident_id] = case
        self._s.causes[incident.component, incident.failure] = incident.incident_id
        case.expires_at = case.detected_at + lasts_s
        self._s.wake(case, case.expires_at)

    def _diagnose(self, case: Case) -> None:
        cause = self._s.cause_of(case)
        choice = self._choose(case.incident)
        case.incident = replace(case.incident, strategies=choice.strategies, labels=choice.labels, caused_by=cause)
        detail = "; ".join((f"caused by incident {cause}", *choice.why) if cause else choice.why)
        self._s.move(case, "diagnosed", detail)
        if cause:
            self._s.set(case, "blocked")
        else:
            steps.advance(self._s, case)

    def _choose(self, incident: Incident) -> Choice:
        return choose(
            (*self._s.settings.plans, *self._s.plans),
            incident,
            lessons=self._s.learning.lessons(incident.component, incident.failure),
            learn_least=self._s.settings.learn_least,
        )

    def _unblock(self) -> bool:
        """Those whose cause is over go on: mended with it or not, their probe says. Tells whether there are any."""
        blocked = [case for case in self._s.cases.values() if case.doing == "blocked"]
        causes = [self._s.cases.get(case.incident.caused_by) for case in blocked]
        over = [case for case, cause in zip(blocked, causes, strict=True) if cause is None or cause.doing == "over"]
        for case in over:
            steps.begin_verification(self._s, case)
        return bool(over)

    def _on_ended(self, event: m.TroubleEnded) -> None:
        """It is well again: what is not in the middle of a step is over."""
        for case in list(self._s.cases.values()):
            incident = case.incident
            if incident.component != event.component or event.failure not in ("", incident.failure):
                continue
            if case.doing not in ("recording", "running", "verifying"):
                self._s.close(case, "resolved", "it is well again by itself", verified=True)

    def _on_abandoned(self, call: str) -> None:
        for case in self._s.cases.values():
            case.calls = [each for each in case.calls if each != call]
            if case.incident.call == call:
                case.incident = replace(case.incident, call="")

    def _on_acknowledged(self, case: Case, who: str) -> None:
        """Nothing more is tried; what is in the middle of a step, or is to be looked at, comes to its end before."""
        incident = case.incident = replace(case.incident, owner=who)
        if case.doing not in ("blocked", "waiting", "ready") or case.next_verify:
            self._s.emit(m.RecordIncident(incident=incident))  # in place of its record, which its step may wait for
            if case.doing == "over":
                self._s.end_alert(case, "taken", f"{who} has taken it over")
            return
        latest = incident.taken[-1] if incident.taken else None
        if latest is not None and latest.step.action == "notify":
            taken = Taken(step=latest.step, outcome="acknowledged", detail=who)
            case.incident = replace(incident, taken=(*incident.taken, taken))
        steps.advance(self._s, case)

    # -- healers and time ---------------------------------------------------------------------------------------------

    def _on_healers(self, event: m.HealersChanged) -> None:
        self._s.healers = {each.name: each for each in event.healers}
        for case in list(self._s.cases.values()):
            if case.doing == "running" and case.healer not in self._s.healers:
                self._s.stop(case, lost=True)
                steps.take(self._s, case, "unknown", f"its healer {case.healer} was lost")
        self._s.running = {name: count for name, count in self._s.running.items() if name in self._s.healers}

    def _settle(self) -> None:
        while (case := self._s.due()) is not None:
            if case.expires_at <= self._s.now:
                self._on_expired(case)
            elif case.due_at is not None and case.due_at <= self._s.now:
                self._on_due(case)

    def _on_expired(self, case: Case) -> None:
        if case.doing == "over":
            self._s.expire(case)
        elif self._s.held_by(case.incident):
            case.expires_at = self._s.now + self._s.settings.incident_timeout_s
            self._s.wake(case, case.expires_at)
        else:
            limit_s = self._s.settings.incident_timeout_s
            self._s.close(case, "escalated", f"it has lasted longer than {limit_s:g} s")

    def _on_due(self, case: Case) -> None:
        if case.doing == "running":
            self._s.stop(case)
            steps.take(self._s, case, "unknown", "it took longer than its timeout")
        elif case.doing == "recording":
            self._s.set(case, "recording", due_at=self._s.now + self._s.settings.record_timeout_s)
            self._s.emit(m.RecordIncident(incident=case.incident))
        elif case.doing == "verifying":
            steps.on_verification_due(self._s, case)
        else:
            self._s.set(case, "ready")

    # -- a new life ---------------------------------------------------------------------------------------------------

    def _on_recovered(self, kept: m.KeptHealer) -> None:
        """Go on from the last record of each: a step that was begun there may have been taken."""
        if not self._fresh:
            return
        self._s.holds = dict(kept.holds)
        self._s.plans = list(kept.plans)
        self._s.depend(kept.depends_on, by="user")
        self._s.learning.take(kept.lessons)
        for each in sorted(kept.incidents, key=lambda kept: (kept.incident.is_over, -kept.age_s)):
            self._order += 1
            detected_at = self._s.now - each.age_s
            case = Case(each.incident, order=self._order, detected_at=detected_at, detect_s=each.began_ago_s)
            case.calls = list(each.calls)
            if each.incident.is_over:
                self._keep_escalated(case)
            else:
                self._admit(case, lasts_s=self._s.settings.incident_timeout_s)
                self._resume(case)

    def _on_alerts(self, incidents: tuple[str, ...]) -> None:
        """Alerts of what is over, and of what was forgotten while no life was there to say so, end now."""
        for name in incidents:
            case = self._s.cases.get(name)
            if case is None:
                detail = "its incident is followed no more"
                self._s.emit(m.EndAlert(incident_id=name, how="forgotten", detail=detail))
            elif case.doing == "over" and case.incident.owner:
                self._s.end_alert(case, "taken", f"{case.incident.owner} has taken it over")

    def _keep_escalated(self, case: Case) -> None:
        """People have it: nothing more is tried, and trouble that is reported meanwhile is the same."""
        incident = case.incident
        lasts_s = incident.escalated_after_s + self._s.settings.escalated_s
        is_known = (incident.component, incident.failure) in self._s.causes
        if is_known or case.detected_at + lasts_s <= self._s.now:
            return
        self._s.set(case, "over")
        self._admit(case, lasts_s=lasts_s)
        self._s.answer_all(case, "exhausted")

    def _resume(self, case: Case) -> None:
        incident = case.incident
        if incident.call and steps.has_result(incident):  # too large a result was not written down: it is lost
            self._s.answer(case, "exhausted" if incident.result is None else "result", incident.result)
            incident = case.incident
        if incident.begun is not None:
            steps.take(self._s, case, "unknown", "the healer was lost")
        elif incident.phase == "detected":
            self._diagnose(case)
        elif incident.phase == "diagnosed" and incident.caused_by:
            self._s.set(case, "blocked")
        elif incident.phase == "verifying":
            steps.begin_verification(self._s, case)
        else:
            steps.advance(self._s, case)
