"""The coordinator of recoveries: its shell. Troubles come in, steps go to healers, each on record before it is taken.

    desk:     who reports, asks or controls
    collect:  a thread for each process whose calls wait

What its journal in the log has is what the next life goes on with; whose call waits reports again what that does not
know.
"""

from __future__ import annotations

import pickle
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, assert_never

import ray

from actors.healer import messages as m
from actors.healer import rows
from actors.healer.calls import Answered, Collected, WaitingCalls
from actors.healer.choice import stale_patterns
from actors.healer.failing import TASKS_FAIL
from actors.healer.hands import Hands
from actors.healer.incident import Incident
from actors.healer.journal import read_journal
from actors.healer.machine import HealerMachine
from actors.healer.packing import taken_plan
from actors.healer.people import People
from actors.healer.phases import PHASES, STALE, LatestPhases
from actors.healer.ports import HealerRecipe
from actors.healer.running import CallPayload, Ended, Job
from actors.healer.steps import may_have_ended_it
from actors.healer.troubles import Troubles
from actors.healer.watching import Watching
from actors.healer.writing import Written
from actors.runtime.driving import Driver
from actors.runtime.process import ProcessIdentity
from actors.runtime.recording import Recorder
from actors.runtime.scrub import Scrubber
from actors.runtime.vital_threads import steady_thread
from actors.service.actor import Left, ServiceActor, service_actor
from actors.service.ports import ServicePorts

if TYPE_CHECKING:
    from actors.health.published import HealthStanding

COLLECT_THREADS = 64
GROUPS = {"collect": COLLECT_THREADS}

VERIFY_THREADS = 32
RECORDED_S = 5.0
"""How long the answer to a person waits for its record to be on the disk, seconds; it holds in any case."""

PAYLOAD_S = 5.0
"""How long a step waits for the process whose call it makes again, after another life has taken over, seconds."""

_COLLECT_MAX_S = 20.0
_SAY_S = 0.02


class CoordinatorActor(ServiceActor):
    """See the module.

    Args:
        name: The full actor name, incarnation included.
        leader: The supervisor incarnation that created it.
        ports: The ways to whoever leads; its settings are a `HealerRecipe`.
    """

    def __init__(self, name: str, leader: int, ports: ServicePorts) -> None:
        super().__init__(name, leader, ports)
        self._recipe: HealerRecipe = ports.settings
        self._era = ports.era
        life = self.identity.incarnation
        self._healing = self._recipe.connect(ports.supervisor)
        self._machine = HealerMachine(
            self._recipe.settings,
            rng=random.Random(),  # noqa: S311 - jitter, not secrets
            life=f"{self._era:x}.{life}",
            now=self.clock.now(),
        )
        self._driver: Driver[m.Event, m.Command] = Driver(
            self._machine, self._carry_out, time_passed=m.TimePassed(), clock=self.clock, name="healer-time"
        )
        self._recorder = Recorder(self.records, name="healer-record")
        writer = rows.Writer(incarnation=life, era=self._era)
        self._written = Written(self._recorder, writer, self.clock, limit=2 * self._recipe.settings.open_max)
        self._hands = Hands(life, ports, self._recipe.settings.healers, self._driver.tell)
        self._calls = WaitingCalls()
        self._phases = LatestPhases(life)
        self._watching = Watching(
            self, self._recipe.settings, Troubles(self._recipe.settings), self._driver.tell, self._hands.see
        )
        self._verifiers = ThreadPoolExecutor(VERIFY_THREADS, "healer-verify")
        limit = 4 * self._recipe.settings.open_max
        self._people = People(
            lambda: self.ports.service("notifier/main"), tells=bool(self._recipe.channels), limit=limit
        )
        self._scrubber = Scrubber()
        self._who = ""
        self._needs: dict[str, tuple[str, ...]] = {}
        self._keeping = threading.Lock()
        self._said = threading.Event()
        self.changes = {
            "plan": self._plan,
            "hold": self._hold,
            "release": self._release,
            "acknowledge": self._acknowledge,
            "reset": self._reset,
            "depends": self._depends,
            "learn": self._learn,
        }
        self.questions = {
            "report": self._report,
            "well": lambda component: self._driver.tell(m.TroubleEnded(component=component)),
            "abandon": self._abandon,
            "incidents": self._incidents,
            "statistics": lambda: self._driver.ask(self._machine.statistics),
            "lessons": lambda: self._driver.ask(self._machine.lessons),
            "holds": lambda: self._driver.ask(self._machine.holds),
            "dry_run": lambda trouble: self._driver.ask(lambda: self._machine.dry_run(trouble)),
        }
        self.begin()

    def take_over(self, left: Left | None) -> None:
        """Go on from the journal, then hear who lives."""
        found = read_journal(
            self.query,
            era=self._era,
            now_us=self.clock.wall_us(),
            escalated_s=self._recipe.settings.escalated_s,
        )
        self._written.resume(found)
        kept = found.kept
        if left is not None:  # what was acknowledged is on the boards, whether the log has it yet or not
            self._needs, holds = pickle.loads(left.payload)  # noqa: S301 - our own former life made it
            kept = replace(kept, holds=holds)
            self.keep(left.payload)
        self._driver.tell(m.JournalRecovered(kept=kept), m.DependenciesChanged(depends_on=self._needs))
        if self.identity.incarnation > 1:
            self._people.look_back(self._driver.tell)
        self._lay_stale()
        self._driver.start()
        self._hands.start()
        incidents = [each.incident for each in found.kept.incidents]
        failing = [incident.component for incident in incidents if incident.failure == TASKS_FAIL]
        self._watching.start(found.cursor if self.identity.incarnation > 1 else None, failing)
        self._healing.follow_health(self._on_health)
        steady_thread(self._keep_saying, name="healer-say").start()

    def answer_again(self, what: str) -> bool | None:
        """See `ServiceActor`: what was released was held."""
        return True if what in ("release", "acknowledge") else None

    def vital_signs(self) -> dict[str, Any]:
        """Adds how many incidents are open."""
        found = self._driver.ask(self._machine.statistics)
        return {**super().vital_signs(), "incidents": found.open, "in_flight": found.in_flight}

    def on_stop(self) -> None:
        """The next life goes on from the journal."""
        self._driver.stop()
        self._hands.stop()
        self._calls.close()
        self._people.stop()
        self._said.set()
        self._write()
        self._recorder.stop()
        self._verifiers.shutdown(wait=False, cancel_futures=True)
        super().on_stop()

    # -- calls that wait ----------------------------------------------------------------------------------------------

    @ray.method(concurrency_group="collect")
    def collect(self, process: str, calls: tuple[str, ...], done: tuple[str, ...], timeout_s: float) -> Collected:
        """What there is for a process's calls; waits a while until there is something.

        Args:
            process: Whose.
            calls: Those that were reported and wait in it.
            done: Those whose answer has arrived there.
            timeout_s: How long to wait, seconds.
        """
        self._begun.wait(_COLLECT_MAX_S)
        for call in done:
            self._calls.forget(call)
        unknown = tuple(each for each in calls if not self._calls.is_known(each))
        wait_s = 0.0 if unknown else min(timeout_s, _COLLECT_MAX_S)
        return Collected(answers=self._calls.answered(process, wait_s), unknown=unknown)

    def on_process_died(self, process: str) -> None:
        """Its calls wait no more."""
        for call in self._calls.of_process(process):
            self._abandon(call)

    def _report(
        self,
        trouble: m.TroubleReported,
        payload: CallPayload | None = None,
        process: tuple[str, str, ProcessIdentity] | None = None,
    ) -> None:
        """Something is wrong; asked again, it is the same trouble."""
        if trouble.call and payload is not None and process is not None:
            if self._calls.is_known(trouble.call):
                return
            self.mind(*process)
            self._calls.add(trouble.call, process[0], payload)
        # Where it fails is what it is now: once it was moved, nobody could tell which node is meant.
        node = trouble.node or self._watching.node_of(trouble.child or trouble.component)
        self._driver.tell(replace(trouble, detail=self._scrubber.clean(trouble.detail), node=node))
        if not trouble.call:
            self._wait_recorded()

    def _abandon(self, call: str) -> None:
        self._calls.forget(call)
        self._driver.tell(m.CallAbandoned(call=call))

    def _on_health(self, standing: HealthStanding) -> None:
        """The health monitor says how things stand."""
        self._hands.see_sick(standing.sick_nodes)
        self._watching.on_health(standing)

    # -- what people ask ----------------------------------------------------------------------------------------------

    def _plan(self, plan: bytes, who: str) -> None:
        rule, self._who = taken_plan(plan, self._recipe.channels), who
        self._driver.tell(m.PlanSet(rule=rule))
        self._lay_stale()
        self._wait_recorded()

    def _depends(self, on: dict[str, tuple[str, ...]]) -> None:
        self._needs = on
        self._driver.tell(m.DependenciesChanged(depends_on=on))
        self._keep()

    def _keep(self) -> None:
        """What the next life must know though the log does not: it may not answer while an operator needs it."""
        with self._keeping:
            self.keep(pickle.dumps((self._needs, self._driver.ask(self._machine.holds))))

    def _hold(self, component: str, who: str, reason: str) -> None:
        self._driver.tell(m.HoldRequested(component=component, who=who, reason=reason))
        self._keep()
        self._wait_recorded()

    def _release(self, component: str) -> bool:
        was_held = component in self._driver.ask(self._machine.holds)
        self._driver.tell(m.ReleaseRequested(component=component))
        self._keep()
        self._wait_recorded()
        return was_held

    def _acknowledge(self, incident_id: str, who: str) -> bool:
        known = any(each.incident_id == incident_id for each in self._driver.ask(self._machine.incidents))
        self._driver.tell(m.Acknowledged(incident_id=incident_id, who=who))
        return known

    def _reset(self, component: str | None) -> int:
        before = len(self._driver.ask(self._machine.lessons))
        self._driver.tell(m.LearningReset(component=component))
        self._wait_recorded()
        return before - len(self._driver.ask(self._machine.lessons))

    def _learn(self, lessons: tuple[dict[str, Any], ...]) -> int:
        self._driver.tell(m.LessonsTaken(lessons=lessons))
        self._wait_recorded()
        return len(lessons)

    def _incidents(self, *, open_only: bool = False) -> tuple[Incident, ...]:
        return self._driver.ask(lambda: self._machine.incidents(open_only=open_only))

    # -- what the machine wants ---------------------------------------------------------------------------------------

    def _carry_out(self, command: m.Command) -> None:
        match command:
            case m.RecordIncident(incident=incident):
                self._record(incident)
            case m.TellPhase():
                self._tell_phase(command)
            case m.EndAlert():
                self._people.note(command)
            case m.RunStep():
                self._run_step(command)
            case m.CancelStep():
                self._hands.cancel(command.healer, _step_name(command.incident_id, command.version))
            case m.Verify():
                self._verifiers.submit(self._verify, command)
            case m.AnswerCall():
                self._calls.answer(
                    Answered(call=command.call, answer=command.answer, incident=command.incident, result=command.result)
                )
            case m.RecordHold() | m.RecordPlan() | m.RecordLesson() | m.NoteDropped():
                self._written.command(command, self._who)
            case _:
                assert_never(command)

    def _record(self, incident: Incident) -> None:
        """Before a step is taken only what a successor goes on from is waited for; all else is written soon after."""
        name = incident.incident_id
        self._written.note(incident, lambda: self._driver.ask(lambda: self._machine.detect_s(name)))
        if incident.begun is not None:
            confirmed = m.IncidentRecorded(incident_id=name, version=incident.version)
            self._written.write_now(incident, partial(self._driver.tell, confirmed))
        self._said.set()

    def _write(self) -> None:
        self._written.write(lambda: {each.incident_id for each in self._incidents()})

    def _tell_phase(self, command: m.TellPhase) -> None:
        incident = command.incident
        self._phases.add(incident, command.before, self.clock.wall_us())
        self._said.set()
        if incident.phase == "resolved" and incident.failure == TASKS_FAIL:
            self._watching.mended(incident.component)
        self._people.note(command)

    def _run_step(self, command: m.RunStep) -> None:
        incident, step = command.incident, command.step
        needs_call = step.action in ("call", "provider", "stale")
        if needs_call and not self._calls.is_known(incident.call):
            self._verifiers.submit(self._run_later, command)
            return
        self._give(command, self._calls.payload(incident.call, 0.0) if needs_call else None)

    def _run_later(self, command: m.RunStep) -> None:
        """Its process has not told this life yet what is to be called."""
        call = command.incident.call
        payload = self._calls.payload(call, PAYLOAD_S)
        if payload is None:
            self._driver.tell(m.CallAbandoned(call=call))
        self._give(command, payload)

    def _give(self, command: m.RunStep, payload: CallPayload | None) -> None:
        incident = replace(command.incident, result=None, strategies=())
        job = Job(incident=incident, strategy=command.strategy, step=command.step, call=payload)
        name = _step_name(incident.incident_id, incident.version)
        self._hands.run(command.healer, name, job, partial(self._on_step_ended, command))

    def _on_step_ended(self, command: m.RunStep, ended: Ended) -> None:
        incident = command.incident
        self._driver.tell(
            m.StepEnded(
                incident_id=incident.incident_id,
                version=incident.version,
                outcome=ended.outcome,
                detail=ended.detail,
                result=ended.result,
            )
        )

    def _verify(self, command: m.Verify) -> None:
        incident = self._written.latest(command.incident_id)
        try:
            if incident is not None and may_have_ended_it(incident):
                self._healing.revive(incident.target)
            verdict, detail = self._healing.verify(command.component)
            if verdict == "unprobed" and incident is not None and incident.failure == TASKS_FAIL:
                since_us = self._written.verifying_since_us(incident)
                verdict, detail = self._watching.tasks_since(incident.component, since_us)
        except Exception as error:  # noqa: BLE001 - a probe that cannot be asked says nothing good
            verdict, detail = "failed", self._scrubber.clean(f"{type(error).__name__}: {error}")
        self._driver.tell(
            m.VerificationEnded(incident_id=command.incident_id, number=command.number, verdict=verdict, detail=detail)
        )

    # -- records and news ---------------------------------------------------------------------------------------------

    def _wait_recorded(self) -> None:
        self._write()
        written = threading.Event()
        self._recorder.record([], written.set)
        written.wait(RECORDED_S)

    def _lay_stale(self) -> None:
        """Whose earlier results may be needed: processes keep them while these are planned."""
        plans = (*self._recipe.settings.plans, *self._driver.ask(self._machine.kept).plans)
        self.lay(STALE, pickle.dumps(stale_patterns(plans)))

    def _keep_saying(self) -> None:
        while not self.is_ending.is_set():
            self._said.wait()
            self.is_ending.wait(_SAY_S)
            self._said.clear()
            self._write()
            self.lay(PHASES, pickle.dumps(self._phases.all()))
            self.post()


def _step_name(incident_id: str, version: int) -> str:
    """A step's name: that of the record that it was begun with."""
    return f"{incident_id}/{version}"


def coordinator_actor() -> Any:
    """The Ray actor class of `CoordinatorActor`, with its concurrency groups."""
    return service_actor(CoordinatorActor, extra_groups=GROUPS)
