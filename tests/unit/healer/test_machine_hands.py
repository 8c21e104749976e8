"""What people ask of the healer, and what a successor goes on with."""

from __future__ import annotations

from dataclasses import asdict, replace

from actors.healer import messages as m
from actors.healer.incident import Incident
from actors.healer.routing import Healer
from actors.healer.settings import PlanRule
from actors.recovery.retry import Retry
from actors.recovery.strategies import Escalate, Isolate, Restart, Restore
from tests.unit.healer.scene import Scene, answers, of, phases


class TestPeople:
    def test_nothing_heals_what_is_held(self) -> None:
        scene = Scene(Restart(), incident_timeout_s=100.0)
        held = scene.tell(m.HoldRequested(component="db", who="ann", reason="upgrade"))
        assert held == [m.RecordHold(component="db", who="ann", reason="upgrade")]
        assert phases(scene.report()) == ["detected", "diagnosed"]
        scene.report("other")
        assert scene.actions == ["restart"]
        assert phases(scene.later(1000.0)) == []
        commands = scene.tell(m.ReleaseRequested(component="db"))
        assert commands[0] == m.RecordHold(component="db", who=None)
        assert phases(commands) == ["recovering", "verifying", "resolved"]
        assert scene.tell(m.ReleaseRequested(component="db")) == []

    def test_what_became_well_while_it_was_held_is_over(self) -> None:
        scene = Scene(Restart())
        scene.tell(m.HoldRequested(component="db", who="ann", reason="upgrade"))
        scene.report()
        assert phases(scene.tell(m.TroubleEnded(component="db"))) == ["resolved"]
        scene.tell(m.ReleaseRequested(component="db"))
        assert scene.ran == []

    def test_an_acknowledged_incident_is_the_persons(self) -> None:
        scene = Scene(Escalate(repeat_s=100.0), Restart())
        scene.report()
        commands = scene.tell(m.Acknowledged(incident_id="1.1", who="ann"))
        assert phases(commands) == ["escalated"]
        assert scene.only().owner == "ann"
        assert phases(scene.tell(m.TroubleEnded(component="db"))) == ["resolved"]
        total = scene.machine.statistics().total
        assert (total.escalated, total.resolved) == (1, 0)

    def test_who_takes_it_before_anybody_was_told_is_noted(self) -> None:
        scene = Scene(Restart())
        scene.outcome = lambda _: None
        scene.report()
        (recorded,) = scene.tell(m.Acknowledged(incident_id="1.1", who="ann"))
        assert isinstance(recorded, m.RecordIncident)
        assert scene.only().owner == "ann"

    def test_of_what_a_person_has_taken_over_nothing_more_is_tried(self) -> None:
        waits = Scene(Retry(attempts=9, backoff="constant", min_s=5.0), Restart())
        waits.outcome = lambda _: "failed"
        waits.report(call="c1")
        commands = waits.tell(m.Acknowledged(incident_id="1.1", who="ann"))
        assert (phases(commands), answers(commands)) == (["escalated"], [("c1", "exhausted")])
        assert waits.only().history[-1].detail == "ann has taken it over"
        waits.later(1000.0)
        assert waits.actions == []

        runs = Scene(Restart(), Isolate(), Escalate())
        runs.outcome = lambda _: None
        runs.report()
        runs.tell(m.Acknowledged(incident_id="1.1", who="ann"))
        assert phases(runs.tell(runs.ended(runs.runs[-1], "failed"))) == ["escalated"]
        assert runs.actions == ["restart"]

        tells = Scene(Escalate(repeat_s=5.0))
        tells.outcome = lambda _: None
        tells.report()
        tells.tell(m.Acknowledged(incident_id="1.1", who="ann"))
        assert phases(tells.tell(tells.ended(tells.runs[-1], "succeeded"))) == ["escalated"]
        tells.later(60.0)
        assert tells.actions == ["notify"], "nobody is told again"

        held = Scene(Restart())
        held.tell(m.HoldRequested(component="db", who="ben", reason="upgrade"))
        held.report()
        assert phases(held.tell(m.Acknowledged(incident_id="1.1", who="ann"))) == ["escalated"]
        held.tell(m.ReleaseRequested(component="db"))
        assert held.actions == []

    def test_what_was_half_done_is_undone_whoever_has_taken_it_over(self) -> None:
        scene = Scene(Restore(), Restart())
        scene.outcome = lambda run: None if run.step.action == "cut_over" else "succeeded"
        scene.report()
        scene.tell(m.Acknowledged(incident_id="1.1", who="ann"))
        commands = scene.tell(scene.ended(scene.runs[-1], "failed"))
        assert scene.actions == ["load", "verify", "cut_over", "roll_back"]
        assert phases(commands) == ["escalated"]

    def test_what_a_person_has_is_looked_at_all_the_same(self) -> None:
        scene = Scene(Restart(), Isolate())
        scene.verdict = lambda _: None
        scene.report()
        scene.tell(m.Acknowledged(incident_id="1.1", who="ann"))
        assert scene.only().phase == "verifying"
        assert phases(scene.later(60.0)) == ["escalated"]
        assert scene.actions == ["restart"]

    def test_what_is_in_the_middle_of_a_step_is_not_over_by_itself(self) -> None:
        scene = Scene(Restart())
        scene.outcome = lambda _: None
        scene.report()
        assert scene.tell(m.TroubleEnded(component="db")) == []

    def test_a_plan_by_hand_goes_before_the_settings_and_replaces_its_like(self) -> None:
        scene = Scene(Restart())
        for strategy in (Escalate(), Isolate()):
            scene.tell(m.PlanSet(rule=PlanRule(component="db", strategies=(strategy,))))
        scene.report()
        assert scene.actions == ["isolate"]
        assert len(scene.machine.kept().plans) == 1

    def test_a_dry_run_tells_and_changes_nothing(self) -> None:
        scene = Scene(Retry(), Restart())
        choice = scene.machine.dry_run(m.TroubleReported(component="db", failure="crash"))
        assert choice.strategies == (Restart(),)
        assert "retry is left out" in choice.why[1]
        assert scene.machine.incidents() == ()

    def test_what_worked_is_tried_first_and_can_be_forgotten(self) -> None:
        scene = Scene(Restart(), Isolate())
        scene.outcome = lambda run: "failed" if run.step.action == "restart" else "succeeded"
        for _ in range(3):
            scene.report()
        assert scene.actions == ["restart", "isolate"] * 3
        scene.report()
        assert scene.actions[6:] == ["isolate"]
        assert {row["strategy"]: row["tries"] for row in scene.machine.lessons()} == {"restart": 3, "isolate": 4}
        scene.tell(m.LearningReset(component="db"))
        assert scene.machine.lessons() == []


class TestSuccessors:
    def successor(self, scene: Scene, kept: m.KeptHealer) -> list[m.Command]:
        scene.begin(incarnation=2, now=5000.0)
        commands = scene.tell(m.JournalRecovered(kept=kept))
        return commands + scene.tell(m.HealersChanged(healers=(Healer(name="new", node="n"),)))

    def kept(self, scene: Scene) -> m.KeptHealer:
        """As the journal has it."""
        incidents = tuple(
            m.KeptIncident(incident=each, age_s=1.0) for each in scene.journal.values() if each.phase != "resolved"
        )
        return m.KeptHealer(incidents=incidents, holds={}, depends_on={})

    def test_a_step_that_was_begun_is_not_taken_again_but_looked_at(self) -> None:
        scene = Scene(Restart(), Isolate())
        scene.outcome = lambda _: None
        scene.report()
        commands = self.successor(scene, self.kept(scene))
        assert phases(commands) == ["verifying", "resolved"]
        assert scene.actions == ["restart"]

    def test_one_without_an_effect_is_taken_again(self) -> None:
        scene = Scene(Isolate())
        scene.outcome = lambda _: None
        scene.report()
        scene.outcome = lambda _: "succeeded"
        assert phases(self.successor(scene, self.kept(scene)))[-1] == "resolved"
        assert scene.actions == ["isolate", "isolate"]

    def test_it_goes_on_from_every_phase(self) -> None:
        scene = Scene(Escalate(repeat_s=100.0), verify_s=50.0)
        scene.tell(m.DependenciesChanged(depends_on={"web": ("db",)}))
        scene.tell(m.HoldRequested(component="held", who="ann", reason="why"))
        scene.report("db")
        scene.report("web", call="c1")
        scene.report("web", call="c2")
        scene.report("held")
        scene.tell(m.PlanSet(rule=PlanRule(component="v", strategies=(Restart(),))))
        scene.verdict = lambda _: None
        scene.report("v")
        kept = scene.machine.kept()
        detected = kept.incidents[0].incident.__class__(incident_id="9.9", component="new", failure="x", severity="low")
        kept = m.KeptHealer(
            incidents=(*kept.incidents, m.KeptIncident(incident=detected, age_s=0.0)),
            holds=kept.holds,
            plans=kept.plans,
            lessons=({"component": "a", "failure": "b", "strategy": "c", "tries": 1, "successes": 1, "seconds": 1.0},),
            depends_on=kept.depends_on,
        )
        self.successor(scene, kept)
        told = {each.component: each.phase for each in scene.machine.incidents()}
        assert told == {
            "db": "recovering",
            "web": "diagnosed",
            "held": "diagnosed",
            "v": "verifying",
            "new": "recovering",
        }
        assert len(scene.machine.lessons()) == 1
        assert scene.machine.kept().incidents[1].calls == ("c2",)
        assert scene.tell(m.JournalRecovered(kept=kept)) == []

    def test_a_result_that_nobody_was_told_of_is_told_by_the_next_life(self) -> None:
        scene = Scene(Retry(min_s=0.0, max_s=0.0))
        scene.verdict = lambda _: None
        scene.report(call="c")
        assert scene.actions == ["call"]
        (kept,) = (each for each in scene.journal.values())
        lost = replace(kept, call="c", result=b"r")  # as it was recorded before the answer
        commands = self.successor(scene, self.one(lost))
        (answer,) = of(m.AnswerCall, commands)
        assert (answer.call, answer.answer, answer.result) == ("c", "result", b"r")
        assert scene.actions == ["call"]

    def test_a_result_that_was_too_large_to_be_written_down_is_lost_and_the_function_is_not_run_again(self) -> None:
        scene = Scene(Retry(min_s=0.0, max_s=0.0))
        scene.verdict = lambda _: None
        scene.report(call="c")
        (kept,) = (each for each in scene.journal.values())
        commands = self.successor(scene, self.one(replace(kept, call="c", result=None)))
        assert answers(commands) == [("c", "exhausted")]
        assert scene.actions == ["call"]

    def test_a_call_that_asks_the_next_life_is_known_there_and_counts_once(self) -> None:
        scene = Scene(Escalate(repeat_s=100.0))
        scene.report(call="c1")
        scene.report(call="c2")
        assert [scene.machine.awaits(call) for call in ("c1", "c2", "c3")] == [True, True, False]
        scene.report(call="c1")
        scene.report(call="c2")
        assert scene.only().reports == 2
        assert scene.machine.kept().incidents[0].calls == ("c2",)

    def test_what_people_have_taken_over_is_theirs_in_the_next_life_too(self) -> None:
        scene = Scene(Restart(), escalated_s=100.0)
        scene.outcome = lambda _: "failed"
        assert phases(scene.report())[-1] == "escalated"
        scene.tell(m.Acknowledged(incident_id="1.1", who="ann"))
        commands = self.successor(scene, self.one(scene.journal["1.1"]))
        commands += scene.report(severity="critical") + scene.report(call="c9")
        assert (phases(commands), answers(commands)) == ([], [("c9", "exhausted")])
        incident = scene.only()
        assert (incident.incident_id, incident.owner, incident.reports) == ("1.1", "ann", 3)
        assert scene.actions == ["restart"]
        assert scene.machine.statistics().open == 0
        commands = scene.tell(m.TroubleEnded(component="db"))
        (told,), (end,) = of(m.TellPhase, commands), of(m.EndAlert, commands)
        assert (told.before, told.incident.phase) == ("escalated", "resolved")
        assert (end.incident_id, end.how) == ("1.1", "over")

    def test_it_is_theirs_no_longer_than_in_one_life(self) -> None:
        scene = Scene(plans=(), escalated_s=100.0)
        scene.report()
        kept = scene.machine.kept()
        for age_s, is_known in ((99.0, True), (100.0, False)):
            aged = replace(kept, incidents=(replace(kept.incidents[0], age_s=age_s),))
            self.successor(scene, aged)
            assert bool(scene.machine.incidents()) == is_known
        self.successor(scene, kept)
        assert phases(scene.later(99.0) + scene.report()) == []
        assert phases(scene.later(1.0) + scene.report()) == ["detected", "diagnosed", "escalated"]

    def test_a_call_whose_end_was_on_record_only_is_told_by_the_next_life(self) -> None:
        scene = Scene(plans=())
        scene.report(call="c1")
        assert scene.journal["1.1"].call == "c1"
        assert answers(self.successor(scene, self.one(scene.journal["1.1"]))) == [("c1", "exhausted")]
        assert answers(scene.report(call="c1")) == [("c1", "exhausted")]

    def test_trouble_that_came_back_since_goes_before_what_people_had(self) -> None:
        scene = Scene(Escalate(repeat_s=100.0))
        scene.report()
        (again,) = scene.machine.kept().incidents
        over = replace(again.incident, incident_id="0.9", phase="escalated")
        kept = replace(scene.machine.kept(), incidents=(m.KeptIncident(incident=over, age_s=9.0), again))
        self.successor(scene, kept)
        assert scene.only().incident_id == "1.1"

    def test_who_takes_over_what_is_in_a_step_is_on_record(self) -> None:
        scene = Scene(Restart())
        scene.outcome = lambda _: None
        scene.report()
        scene.tell(m.Acknowledged(incident_id="1.1", who="ann"))
        assert scene.journal["1.1"].owner == "ann"
        assert phases(scene.tell(scene.ended(scene.runs[-1], "succeeded"))) == ["verifying", "resolved"]
        assert scene.actions == ["restart"]

    @staticmethod
    def one(incident: Incident) -> m.KeptHealer:
        return m.KeptHealer(incidents=(m.KeptIncident(incident=incident, age_s=1.0),), holds={}, depends_on={})


def test_what_is_learned_planned_and_forgotten_is_put_on_record() -> None:
    scene = Scene(Restart())
    (lesson,) = of(m.RecordLesson, scene.report())
    assert (lesson.component, lesson.strategy, lesson.tries, lesson.successes) == ("db", "restart", 1, 1)
    (gone,) = of(m.RecordLesson, scene.tell(m.LearningReset()))
    assert (gone.component, gone.strategy, gone.tries) == ("db", "restart", 0)
    rule = PlanRule(component="db", strategies=(Isolate(),))
    assert of(m.RecordPlan, scene.tell(m.PlanSet(rule=rule))) == [m.RecordPlan(rule=rule)]
    assert scene.tell(m.PlanSet(rule=rule.model_copy())) == [], "the same again changes nothing"


def test_holds_are_told() -> None:
    scene = Scene(Restart())
    scene.tell(m.HoldRequested(component="db", who="ann", reason="why"))
    assert scene.machine.holds() == {"db": ("ann", "why")}


def test_everything_can_be_held_at_once() -> None:
    scene = Scene(Restart())
    scene.tell(m.HoldRequested(component="db", who="ann", reason="why"))
    scene.tell(m.HoldRequested(component="*", who="ben", reason="stop"))
    scene.report("db")
    scene.report("web")
    assert scene.actions == []
    scene.tell(m.ReleaseRequested(component="*"))
    assert [incident for incident, *_ in scene.ran] == ["1.2"]
    scene.tell(m.ReleaseRequested(component="db"))
    assert [incident for incident, *_ in scene.ran] == ["1.2", "1.1"]


def test_what_is_over_of_one_class_leaves_the_others() -> None:
    scene = Scene(Restart())
    scene.tell(m.HoldRequested(component="db", who="ann", reason="why"))
    scene.report("db", "sick")
    scene.report("db", "network")
    commands = scene.tell(m.TroubleEnded(component="db", failure="sick"))
    assert phases(commands, "1.1") == ["resolved"]
    assert phases(commands, "1.2") == []


def test_what_another_cluster_has_learned_adds_up_and_is_on_record() -> None:
    scene = Scene(Restart())
    first = m.RecordLesson(component="db", failure="crash", strategy="restart", tries=3, successes=2, seconds=6.0)
    scene.tell(m.LessonsTaken(lessons=(asdict(first),)))
    both = replace(first, tries=6, successes=4, seconds=12.0)
    assert scene.tell(m.LessonsTaken(lessons=(asdict(first),))) == [both]
    assert scene.machine.lessons() == [asdict(both)]


def test_who_holds_a_child_holds_what_is_that_child() -> None:
    for name in ("child/cart", "cart", "shop", "*"):
        scene = Scene(Restart())
        scene.tell(m.HoldRequested(component=name, who="ann", reason="why"))
        scene.report("shop", child="child/cart")
        assert scene.ran == []
        scene.tell(m.ReleaseRequested(component=name))
        assert [run.incident.target for run in scene.runs] == ["child/cart"]
