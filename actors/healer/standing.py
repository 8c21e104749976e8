"""All open incidents, whose turn it is, and what is told of them: what the healer's rules act on. Pure.

Turns go by severity, then by age. Only a step that is recorded or run, and a verification, count against the limit:
whoever waits for a time holds nobody up. What is held keeps its place and is passed over.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from actors.healer import messages as m
from actors.healer.case import ACTIVE, Case, Doing
from actors.healer.incident import Entry, moved
from actors.healer.learning import Learning
from actors.healer.statistics import Tally
from actors.healer.telling import may_be_told
from actors.recovery.budget import RetryBudget
from actors.recovery.strategies import SEVERITIES, title
from actors.runtime.graph import closure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random
    from typing import Any

    from actors.healer.incident import Incident, Phase
    from actors.healer.routing import Healer
    from actors.healer.settings import HealerSettings, PlanRule
    from actors.notifier.messages import AlertEnd

EVERYTHING = "*"
"""Who holds this holds every component."""


class Standing:
    """The state of one life of the healer.

    Attributes:
        settings: The bounds.
        rng: The source of chance; only waits draw from it.
        now: The latest moment that it was told, monotonic seconds.
        cases: Open incidents, by name; escalated ones stay for a while.
        causes: Their names by component and failure class.
        holds: Who holds which component, and why.
        plans: What was set by hand, beside the settings'.
        depends_on: Which components depend on which, by all who say so.
        healers: Those that live, by name.
        running: Steps that each runs.
        active: Steps and verifications that run.
        learning: What was learned.
        tally: What is counted.
        budget: Of retries.
        closed: Incidents that are over.
    """

    def __init__(self, settings: HealerSettings, *, rng: Random, now: float) -> None:
        self.settings = settings
        self.rng = rng
        self.now = now
        self.cases: dict[str, Case] = {}
        self.causes: dict[tuple[str, str], str] = {}
        self.holds: dict[str, tuple[str, str]] = {}
        self.plans: list[PlanRule] = []
        self.depends_on: dict[str, tuple[str, ...]] = {}
        self._said_to_depend: dict[str, Mapping[str, tuple[str, ...]]] = {}
        self.healers: dict[str, Healer] = {}
        self.running: dict[str, int] = {}
        self.active = 0
        self.learning = Learning(settings.learn_max)
        self.tally = Tally()
        self.budget = RetryBudget(share=settings.retry_share, floor_per_s=settings.retry_floor_per_s, now=now)
        self.closed: deque[Incident] = deque(maxlen=settings.closed_max)
        self._turns: list[tuple[int, int, str]] = []
        self._held: dict[str, list[tuple[int, int, str]]] = {}
        self._wakes: list[tuple[float, int, str]] = []
        self._commands: list[m.Command] = []

    def emit(self, command: m.Command) -> None:
        """This is to be done."""
        self._commands.append(command)

    def take_commands(self) -> list[m.Command]:
        """What is to be done, in order; it is then taken as done."""
        commands, self._commands = self._commands, []
        return commands

    def depend(self, on: Mapping[str, tuple[str, ...]], *, by: str) -> None:
        """So says one of those who know which components depend on which."""
        self._said_to_depend[by] = on
        said = self._said_to_depend.values()
        names = dict.fromkeys(name for each in said for name in each)
        self.depends_on = {
            name: tuple(dict.fromkeys(needed for each in said for needed in each.get(name, ()))) for name in names
        }

    def plan(self, rule: PlanRule) -> bool:
        """This is tried from now on, in place of what was said of the same before; whether it is another."""
        if rule in self.plans:
            return False
        same = (rule.component, rule.failure, rule.severity)
        others = [each for each in self.plans if (each.component, each.failure, each.severity) != same]
        self.plans = [*others, rule]
        return True

    # -- what a case does ---------------------------------------------------------------------------------------------

    def set(self, case: Case, doing: Doing, *, due_at: float | None = None) -> None:
        """It does this now, to be looked at again then."""
        self.active += (doing in ACTIVE) - (case.doing in ACTIVE)
        case.doing, case.due_at = doing, due_at
        if due_at is not None:
            self.wake(case, due_at)
        if doing == "ready":
            rank = -SEVERITIES.index(case.incident.severity)
            heappush(self._turns, (rank, case.order, case.incident.incident_id))

    def wake(self, case: Case, at: float) -> None:
        """It is to be looked at then."""
        heappush(self._wakes, (at, case.order, case.incident.incident_id))

    def due(self) -> Case | None:
        """A case that is to be looked at now, or None; each is told as often as it was asked for."""
        while self._wakes and self._wakes[0][0] <= self.now:
            _, _, name = heappop(self._wakes)
            if name in self.cases:
                return self.cases[name]
        return None

    def next_at(self) -> float | None:
        """When the next one is, monotonic seconds, or None."""
        while self._wakes and self._wakes[0][2] not in self.cases:
            heappop(self._wakes)
        return self._wakes[0][0] if self._wakes else None

    def next_turn(self) -> Case | None:
        """Whose turn it is, or None if the limit is reached or nobody waits."""
        while self._turns and self.active < self.settings.in_flight:
            turn = heappop(self._turns)
            case = self.cases.get(turn[2])
            if case is None or case.doing != "ready":
                continue
            held_by = self.held_by(case.incident)
            if held_by is None:
                return case
            self._held.setdefault(held_by, []).append(turn)
        return None

    def held_by(self, incident: Incident) -> str | None:
        """By which name an operator holds it: its component's, that of the child that it is, or all; None: by none."""
        names = (incident.component, incident.child, incident.child.partition("/")[2], EVERYTHING)
        return next((name for name in names if name in self.holds), None)

    def release(self, component: str) -> None:
        """Those that were passed over have their turn again; whoever is still held is passed over again."""
        for name in list(self._held) if component == EVERYTHING else (component,):
            for turn in self._held.pop(name, []):
                heappush(self._turns, turn)

    def cause_of(self, case: Case) -> str:
        """The oldest open incident of what its component depends on, however far away; empty if there is none.

        None that waits itself for this one, so no two ever wait for each other.
        """
        name = case.incident.component
        below = closure(self.depends_on, name) - {name} if self.depends_on.get(name) else ()
        opened = [
            (other.order, other.incident.incident_id)
            for other in (self.cases.values() if below else ())
            if other.doing != "over" and other.incident.component in below and not self._waits_for(other, case)
        ]
        return min(opened)[1] if opened else ""

    def _waits_for(self, case: Case | None, other: Case) -> bool:
        for _ in self.cases:
            if case is None or case is other or case.doing != "blocked":
                break
            case = self.cases.get(case.incident.caused_by)
        return case is other

    # -- what is known of it ------------------------------------------------------------------------------------------

    def note(self, case: Case, entry: Entry) -> None:
        """A line more in its history."""
        after_s = self.now - case.detected_at
        case.incident = case.incident.noted(replace(entry, after_s=after_s))

    def move(self, case: Case, phase: Phase, detail: str) -> None:
        """It is in another phase: on record and told."""
        before = case.incident.phase
        after_s = self.now - case.detected_at
        case.incident = moved(case.incident, phase, detail=detail, after_s=after_s)
        self.record(case)
        self.emit(m.TellPhase(incident=case.incident, before=before))

    def record(self, case: Case, **changes: Any) -> None:
        """Write it down, with these changes."""
        case.incident = replace(case.incident, version=case.incident.version + 1, **changes)
        self.emit(m.RecordIncident(incident=case.incident))

    def answer(self, case: Case, answer: m.CallAnswer, result: Any = None) -> None:
        """Tell the call whose function was run again."""
        call = case.incident.call
        if call:
            case.incident = replace(case.incident, call="", result=None)
            self.emit(m.AnswerCall(call=call, answer=answer, incident=case.incident, result=result))

    def answer_all(self, case: Case, answer: m.CallAnswer) -> None:
        """Tell all calls that wait."""
        self.answer(case, answer)
        calls, case.calls = case.calls, []
        for call in calls:
            self.emit(m.AnswerCall(call=call, answer=answer, incident=case.incident))

    def learn(self, case: Case, *, worked: bool) -> None:
        """The strategy that it tried is over."""
        incident = case.incident
        if incident.taken:
            strategy = title(incident.strategies[incident.position])
            took_s = self.now - case.strategy_at
            row = self.learning.note(incident.component, incident.failure, strategy, worked=worked, took_s=took_s)
            self.emit(m.RecordLesson(**row))

    def close(self, case: Case, phase: Phase, detail: str, **changes: Any) -> None:
        """It is over. An escalated one stays for a while: trouble that is reported meanwhile is the same."""
        incident = case.incident
        again = incident.phase == "escalated"
        if case.doing == "running":
            self.stop(case)
        case.incident = replace(incident, begun=None, **changes)
        self.set(case, "over")
        self.move(case, phase, detail)
        if phase == "resolved":
            self.end_alert(case, "over", "its component is well again")
        elif incident.owner:
            self.end_alert(case, "taken", detail)
        tried = title(incident.strategies[incident.position]) if incident.taken else ""
        self.answer_all(case, "again" if phase == "resolved" else "exhausted")
        if not again:
            recover_s = self.now - case.detected_at
            self.tally.close(
                incident.component,
                tried,
                resolved=phase == "resolved",
                detect_s=case.detect_s,
                recover_s=recover_s,
            )
        if phase == "escalated":
            self.wake(case, self.now + self.settings.escalated_s)
            case.expires_at = self.now + self.settings.escalated_s
        else:
            self.forget(case)

    def expire(self, case: Case) -> None:
        """It was people's for long enough: it is open no more, and who was told of it hears that."""
        limit_s = self.settings.escalated_s
        detail = f"it was people's for {limit_s:g} s and is followed no more; trouble is a new incident from now on"
        self.end_alert(case, "forgotten", detail)
        self.forget(case)

    def end_alert(self, case: Case, how: AlertEnd, detail: str) -> None:
        """So it ends for those who were told of it, if any were."""
        if may_be_told(case.incident):
            self.emit(m.EndAlert(incident_id=case.incident.incident_id, how=how, detail=detail))

    def forget(self, case: Case) -> None:
        """It is open no more."""
        incident = case.incident
        self.closed.append(incident)
        del self.cases[incident.incident_id], self.causes[incident.component, incident.failure]

    def stop(self, case: Case, *, lost: bool = False) -> None:
        """Its step is waited for no more."""
        self.running[case.healer] = self.running.get(case.healer, 0) - 1
        if not lost:
            incident = case.incident
            self.emit(m.CancelStep(healer=case.healer, incident_id=incident.incident_id, version=incident.version))
