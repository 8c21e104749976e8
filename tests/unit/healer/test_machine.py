"""One incident per component and cause; its recovery is recorded, bounded, verified, and ends."""

from __future__ import annotations

from typing import Any

import pytest

from actors.healer import messages as m
from actors.healer.routing import Healer
from actors.healer.settings import PlanRule
from actors.recovery.retry import Fallback, Retry
from actors.recovery.strategies import Escalate, Isolate, Restart, Restore
from tests.unit.healer.scene import HEALERS, Scene, answers, of, phases

WELL = ["detected", "diagnosed", "recovering", "verifying", "resolved"]


class TestOneRecovery:
    def test_from_the_report_to_a_good_probe(self) -> None:
        scene = Scene(Restart())
        commands = scene.report(detail="exit 1", source="supervisor", began_ago_s=2.0)
        assert phases(commands) == WELL
        incident = scene.only()
        assert (incident.incident_id, incident.verified, incident.detail) == ("1.1", True, "exit 1")
        assert [(entry.what, entry.outcome) for entry in incident.history] == [
            ("detected", ""),
            ("diagnosed", ""),
            ("recovering", ""),
            ("restart: restart", "succeeded"),
            ("verifying", ""),
            ("resolved", ""),
        ]
        total = scene.machine.statistics().total
        assert (total.success_rate, total.mean_detect_s) == (1.0, 2.0)
        assert scene.machine.next_timer() is None

    def test_success_is_not_assumed(self) -> None:
        scene = Scene(Restart(), Escalate(repeats=1), verify_s=10.0)
        scene.verdict = lambda _: "failed"
        commands = scene.report() + scene.later(20.0)
        assert scene.actions == ["restart", "notify"]
        assert phases(commands)[-1] == "escalated"
        assert len(of(m.Verify, commands)) == 10

    def test_a_probe_that_becomes_good_in_time_is(self) -> None:
        scene = Scene(Restart(), verify_s=10.0)
        scene.verdict = lambda verify: "passed" if verify.number > 6 else "failed"
        assert phases(scene.report() + scene.later(5.0)) == WELL

    def test_a_probe_that_says_nothing_is_not_waited_for_for_ever(self) -> None:
        scene = Scene(Restart(), verify_s=10.0)
        scene.verdict = lambda _: None
        assert phases(scene.report() + scene.later(10.0))[-2:] == ["verifying", "escalated"]

    def test_without_a_probe_a_restart_proves_nothing(self) -> None:
        scene = Scene(Restart())
        scene.verdict = lambda _: "unprobed"
        assert phases(scene.report())[-1] == "escalated"

    def test_no_plan_is_escalated_at_once(self) -> None:
        scene = Scene(plans=())
        assert phases(scene.report()) == ["detected", "diagnosed", "escalated"]

    def test_what_a_late_probe_or_step_says_is_nothing(self) -> None:
        scene = Scene(Restart())
        scene.outcome = lambda _: None
        scene.report()
        incident = scene.only()
        late = m.StepEnded(incident_id=incident.incident_id, version=incident.version - 1, outcome="succeeded")
        assert scene.tell(late) == []
        assert scene.tell(m.VerificationEnded(incident_id="1.1", number=0, verdict="passed")) == []
        assert scene.tell(m.IncidentRecorded(incident_id="1.1", version=incident.version)) == []
        assert scene.tell(m.IncidentRecorded(incident_id="no", version=1)) == []


class TestCalls:
    def test_the_call_gets_the_recoverys_result(self) -> None:
        scene = Scene(Retry(attempts=4))
        outcomes = iter(("failed", "succeeded"))
        scene.outcome = lambda _: next(outcomes)
        commands = scene.report(call="c1") + scene.later(30.0)
        assert scene.actions == ["call", "call"]
        (answer,) = of(m.AnswerCall, commands)
        assert (answer.call, answer.answer, answer.result) == ("c1", "result", b"r")

    def test_a_result_proves_that_a_component_without_a_probe_is_well(self) -> None:
        scene = Scene(Fallback(len))
        scene.verdict = lambda _: "unprobed"
        assert phases(scene.report(call="c1")) == WELL
        assert not scene.only().verified

    def test_a_component_that_is_sick_still_is_healed_on_without_its_call(self) -> None:
        scene = Scene(Fallback(len), Retry(), Restart(), verify_s=0.5)
        scene.verdict = lambda verify: "passed" if verify.number > 1 else "failed"
        commands = scene.report(call="c1")
        assert scene.actions == ["provider", "restart"]
        assert answers(commands) == [("c1", "result")]

    def test_who_joins_calls_again_when_it_is_well(self) -> None:
        scene = Scene(Restart())
        scene.outcome = lambda _: None
        scene.report(call="c1")
        assert scene.report(call="c2", severity="critical") == []
        assert (scene.only().reports, scene.only().severity) == (2, "critical")
        commands = scene.tell(scene.ended(scene.runs[-1], "succeeded"))
        assert answers(commands) == [("c1", "again"), ("c2", "again")]

    def test_when_nothing_helped_all_are_told_also_who_comes_later(self) -> None:
        scene = Scene(Restart())
        scene.outcome = lambda _: "failed"
        assert answers(scene.report(call="c1")) == [("c1", "exhausted")]
        assert answers(scene.report(call="c2")) == [("c2", "exhausted")]
        assert scene.report() == []
        assert len(scene.machine.incidents()) == 1

    def test_more_calls_than_the_limit_are_told_at_once(self) -> None:
        scene = Scene(Restart(), calls_max=1)
        scene.outcome = lambda _: None
        scene.report()
        assert answers(scene.report(call="c1")) == []
        assert answers(scene.report(call="c2")) == [("c2", "exhausted")]

    def test_an_abandoned_call_is_made_no_more(self) -> None:
        scene = Scene(Retry(attempts=9, backoff="constant", min_s=5.0), Restart())
        scene.report("other", call="c0")
        scene.outcome = lambda _: None
        scene.report(call="c1")
        scene.report(call="c2")
        for call in ("c1", "c2"):
            scene.tell(m.CallAbandoned(call=call))
        scene.outcome = lambda _: "failed" if _.step.action == "call" else "succeeded"
        commands = scene.later(60.0)
        assert answers([each for each in commands if getattr(each, "call", "") in ("c1", "c2")]) == []

    def test_retries_of_all_share_a_budget(self) -> None:
        scene = Scene(Retry(attempts=2, backoff="constant", min_s=0.0), retry_share=0.0, in_flight=100)
        scene.outcome = lambda _: "failed"
        for number in range(15):
            scene.report(f"c{number}", call=f"call{number}")
        assert len(scene.ran) == 10
        scene.later(5.0)
        assert len(scene.ran) == 15


class TestUnknownEnds:
    def test_a_restart_whose_end_is_unknown_is_looked_at_and_never_taken_again(self) -> None:
        scene = Scene(Restart(timeout_s=5.0), Isolate())
        scene.outcome = lambda _: None
        scene.verdict = lambda _: "passed"
        commands = scene.report() + scene.later(5.0)
        assert [type(each) for each in of(m.CancelStep, commands)] == [m.CancelStep]
        assert phases(commands) == WELL
        assert scene.actions == ["restart"]

    def test_if_it_is_sick_still_the_next_strategy_is_tried(self) -> None:
        scene = Scene(Restart(timeout_s=5.0), Isolate(), verify_s=0.5)
        scene.outcome = lambda run: None if run.step.action == "restart" else "succeeded"
        scene.verdict = lambda verify: "passed" if verify.number > 1 else "failed"
        scene.report()
        scene.later(5.0)
        assert scene.actions == ["restart", "isolate"]
        assert scene.only().phase == "resolved"

    def test_a_cut_over_that_failed_is_rolled_back(self) -> None:
        scene = Scene(Restore(timeout_s=5.0), verify_s=0.5)
        scene.outcome = lambda run: None if run.step.action == "cut_over" else "succeeded"
        scene.verdict = lambda _: "failed"
        scene.report()
        scene.later(5.0)
        assert scene.actions == ["load", "verify", "cut_over", "roll_back"]
        assert scene.only().phase == "escalated"


class TestHealers:
    def test_a_step_runs_on_a_node_other_than_the_failing_one(self) -> None:
        scene = Scene(Restart())
        scene.report(node="n1")
        assert scene.runs[-1].healer == "h2"

    def test_without_a_healer_it_waits_for_one(self) -> None:
        scene = Scene(Restart(), healers=())
        scene.report()
        scene.report("other")
        assert scene.machine.statistics().waiting == 2
        scene.tell(m.HealersChanged(healers=(Healer(name="h", node="n"),)))
        assert len(scene.ran) == 2

    def test_a_lost_healers_step_is_not_taken_again_unless_it_has_no_effect(self) -> None:
        scene = Scene(Restart(), Isolate(), verify_s=0.5)
        scene.outcome = lambda _: None
        scene.report()
        scene.verdict = lambda _: "failed"
        other = Healer(name="h9", node="n9")
        scene.tell(m.HealersChanged(healers=(other,)))
        assert scene.actions == ["restart", "isolate"]
        scene.tell(m.HealersChanged(healers=(Healer(name="h10", node="n9"),)))
        assert scene.actions == ["restart", "isolate", "isolate"]
        assert scene.runs[-1].healer == "h10"

    def test_healers_that_vanish_before_the_record_is_confirmed_ran_nothing(self) -> None:
        scene = Scene(Restart())
        scene.confirms = False
        scene.report()
        incident = scene.only()
        scene.tell(m.HealersChanged(healers=()))
        scene.confirms = True
        scene.journal[incident.incident_id] = incident
        scene.tell(m.IncidentRecorded(incident_id=incident.incident_id, version=incident.version))
        assert scene.only().begun is None
        scene.tell(m.HealersChanged(healers=(Healer(name="h", node="n"),)))
        assert scene.actions == ["restart"]


class TestBounds:
    def test_the_limit_holds_and_all_end(self) -> None:
        scene = Scene(Restart(), in_flight=3)
        scene.outcome = lambda _: None
        for number in range(20):
            scene.report(f"c{number}")
            assert scene.machine.statistics().in_flight <= 3
        assert len(scene.runs) == 3
        done = 0
        while done < len(scene.runs):
            scene.tell(scene.ended(scene.runs[done], "succeeded"))
            assert scene.machine.statistics().in_flight <= 3
            done += 1
        assert scene.machine.statistics().total.resolved == 20

    def test_the_severest_go_first_then_the_oldest(self) -> None:
        scene = Scene(Restart(), in_flight=1)
        scene.outcome = lambda _: None
        severities: list[Any] = ["low", "low", "critical", "medium"]
        for number, severity in enumerate(severities):
            scene.report(f"c{number}", severity=severity)
        for number in range(3):
            scene.tell(scene.ended(scene.runs[number], "succeeded"))
        assert [run.incident.component for run in scene.runs] == ["c0", "c2", "c3", "c1"]

    def test_who_waits_for_a_time_holds_nobody_up(self) -> None:
        scene = Scene(Escalate(repeat_s=100.0, repeats=3), in_flight=1)
        scene.report("a")
        scene.report("b")
        assert len(scene.ran) == 2

    def test_the_whole_has_its_limit(self) -> None:
        scene = Scene(Escalate(repeat_s=100.0, repeats=1000), incident_timeout_s=250.0)
        commands = scene.report() + scene.later(300.0)
        assert phases(commands)[-1] == "escalated"
        assert scene.actions == ["notify"] * 3
        scene.outcome = lambda _: None
        scene.report("other")
        commands = scene.later(250.0)
        assert len(of(m.CancelStep, commands)) > 0

    def test_more_incidents_than_the_limit_are_dropped_and_counted(self) -> None:
        scene = Scene(Restart(), open_max=1)
        scene.outcome = lambda _: None
        scene.report("a")
        commands = scene.report("b", call="c")
        assert commands[0] == m.NoteDropped(component="b", failure="crash", limit=1)
        assert answers(commands) == [("c", "exhausted")]
        assert scene.report("b") == [m.NoteDropped(component="b", failure="crash", limit=1)]
        assert scene.machine.statistics().dropped == 2

    def test_an_escalated_incident_is_open_for_a_while_then_trouble_is_a_new_one(self) -> None:
        scene = Scene(Restart(), escalated_s=100.0)
        scene.outcome = lambda _: "failed"
        scene.report()
        scene.later(99.0)
        assert scene.report() == []
        scene.later(1.0)
        assert scene.machine.incidents(open_only=True) == ()
        assert phases(scene.report())[0] == "detected"
        assert len(scene.machine.incidents()) == 2

    def test_a_record_that_is_not_confirmed_is_written_again(self) -> None:
        scene = Scene(Restart(), record_timeout_s=5.0)
        scene.confirms = False
        scene.report()
        assert scene.ran == []
        commands = scene.later(5.0)
        assert len(of(m.RecordIncident, commands)) == 1
        scene.confirms = True
        assert phases(scene.later(5.0))[-1] == "resolved"


class TestDependencies:
    def test_who_depends_waits_and_is_mostly_well_again_with_its_cause(self) -> None:
        scene = Scene(Restart())
        scene.tell(m.DependenciesChanged(depends_on={"web": ("api",), "api": ("db",)}))
        scene.outcome = lambda _: None
        scene.report("db")
        commands = scene.report("web")
        assert phases(commands) == ["detected", "diagnosed"]
        (_, web) = scene.machine.incidents()
        assert web.caused_by == "1.1"
        commands = scene.tell(scene.ended(scene.runs[0], "succeeded"))
        assert phases(commands, web.incident_id) == ["verifying", "resolved"]
        assert len(scene.ran) == 1

    def test_if_it_is_sick_still_it_is_recovered_itself(self) -> None:
        scene = Scene(Restart(), verify_s=0.5)
        scene.tell(m.DependenciesChanged(depends_on={"web": ("db",)}))
        scene.outcome = lambda run: None if run.incident.component == "db" else "succeeded"
        bad = {"web": 1}
        scene.verdict = lambda v: "failed" if (bad.pop(v.component, 0)) else "passed"
        scene.report("db")
        scene.report("web")
        commands = scene.tell(scene.ended(scene.runs[0], "failed"))
        assert phases(commands, "1.1") == ["escalated"]
        assert phases(commands, "1.2") == ["verifying", "recovering", "verifying", "resolved"]

    def test_a_cause_that_falls_sick_later_is_waited_for_before_the_next_step(self) -> None:
        scene = Scene(Isolate(), Restart(), verify_s=0.5)
        scene.tell(m.DependenciesChanged(depends_on={"web": ("api",), "api": ("db",)}))
        scene.outcome = lambda _: None
        scene.report("web")
        scene.report("db")
        (isolated, other) = scene.runs
        scene.tell(scene.ended(isolated, "failed"))
        assert scene.actions == ["isolate", "isolate"], "its restart waits"
        (web, _) = scene.machine.incidents()
        assert (web.phase, web.caused_by) == ("recovering", "1.2")
        scene.verdict = lambda verify: "failed" if verify.component == "web" else "passed"
        commands = scene.tell(scene.ended(other, "succeeded"))
        assert phases(commands, "1.1") == ["verifying", "recovering"], "it is sick still, and goes on"
        assert scene.actions[2:] == ["restart"]

    def test_what_was_waited_with_goes_on_where_it_was(self) -> None:
        scene = Scene(Escalate(repeats=3, repeat_s=10.0), verify_s=0.5)
        scene.tell(m.PlanSet(rule=PlanRule(component="db", strategies=(Restart(),))))
        scene.tell(m.DependenciesChanged(depends_on={"web": ("db",)}))
        scene.outcome = lambda run: None if run.step.action == "restart" else "succeeded"
        scene.verdict = lambda verify: "failed" if verify.component == "web" else "passed"
        scene.report("web")
        scene.report("db")
        scene.later(25.0)
        assert scene.actions == ["notify", "restart"], "nobody is told again of what has a cause"
        scene.tell(scene.ended(scene.runs[-1], "succeeded"))
        scene.later(40.0)
        told = [number for incident, _, action, number in scene.ran if (incident, action) == ("1.1", "notify")]
        assert told == [0, 1, 2]

    def test_two_that_come_to_depend_on_each_other_do_not_wait_for_each_other_either(self) -> None:
        scene = Scene(Isolate(), Restart(), verify_s=0.5)
        scene.outcome = lambda run: None if run.step.action == "isolate" else "succeeded"
        scene.report("a")
        scene.report("b")
        scene.tell(m.DependenciesChanged(depends_on={"a": ("b",), "b": ("a",)}))
        for run in list(scene.runs):
            scene.tell(scene.ended(run, "failed"))
        assert [each.phase for each in scene.machine.incidents()] == ["resolved", "resolved"]
        assert scene.actions == ["isolate", "isolate", "restart"], "the other is well again with it"

    def test_who_depends_is_told_by_hand_and_by_the_monitor_and_each_replaces_its_own(self) -> None:
        scene = Scene(Restart())
        scene.tell(m.DependenciesChanged(depends_on={"web": ("api",)}))
        scene.tell(m.DependenciesChanged(depends_on={"web": ("db",), "api": ("db",)}, by="health"))
        assert scene.machine.kept().depends_on == {"web": ("api", "db"), "api": ("db",)}
        scene.tell(m.DependenciesChanged(depends_on={}, by="health"))
        assert scene.machine.kept().depends_on == {"web": ("api",)}

    def test_its_steps_are_taken_on_nodes_with_its_plans_labels_or_wait_for_one(self) -> None:
        scene = Scene(Restart())
        scene.tell(m.PlanSet(rule=PlanRule(component="gpu-*", strategies=(Restart(),), labels={"kind": "gpu"})))
        assert phases(scene.report("gpu-1")) == ["detected", "diagnosed"]
        assert "its steps are taken on nodes with kind=gpu" in scene.only().history[-1].detail
        labelled = Healer(name="h3", node="n3", labels={"kind": "gpu", "zone": "a"})
        assert phases(scene.tell(m.HealersChanged(healers=(*HEALERS, labelled)))) == [
            "recovering",
            "verifying",
            "resolved",
        ]
        assert [run.healer for run in scene.runs] == ["h3"]

    def test_two_that_depend_on_each_other_do_not_wait_for_each_other(self) -> None:
        scene = Scene(Restart())
        scene.tell(m.DependenciesChanged(depends_on={"a": ("b",), "b": ("a",), "c": ("a",)}))
        scene.outcome = lambda _: None
        scene.report("a")
        scene.report("b")
        scene.report("a", "other")
        found = {each.incident_id: each.caused_by for each in scene.machine.incidents()}
        assert found == {"1.1": "", "1.2": "1.1", "1.3": "1.2"}


@pytest.mark.parametrize("failure", ["crash", "network"])
def test_failures_of_other_classes_are_other_incidents(failure: str) -> None:
    scene = Scene(Restart())
    scene.outcome = lambda _: None
    scene.report(failure="crash")
    scene.report(failure=failure)
    assert len(scene.machine.incidents()) == (1 if failure == "crash" else 2)
