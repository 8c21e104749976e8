"""A step is on record before it is run, once; what is late changes nothing."""

from __future__ import annotations

from actors.healer import messages as m
from actors.healer.incident import Incident
from actors.healer.steps import may_have_ended_it
from actors.recovery.course import Action, Outcome, Step, Taken
from actors.recovery.retry import Fallback, Retry
from actors.recovery.strategies import Restart
from tests.unit.healer.scene import Scene, answers, of


def test_nothing_runs_before_its_record_is_confirmed_and_only_once() -> None:
    scene = Scene(Restart())
    scene.confirms = False
    commands = scene.report()
    assert of(m.RunStep, commands) == []
    begun = [each.incident for each in of(m.RecordIncident, commands) if each.incident.begun is not None]
    assert len(begun) == 1
    scene.journal["1.1"] = begun[0]
    scene.outcome = lambda _: None
    early = m.IncidentRecorded(incident_id="1.1", version=begun[0].version - 1)
    assert scene.tell(early) == []
    confirmed = m.IncidentRecorded(incident_id="1.1", version=begun[0].version)
    assert len(of(m.RunStep, scene.tell(confirmed))) == 1
    assert scene.tell(confirmed) == []


def test_a_hold_that_comes_before_the_record_is_confirmed_counts() -> None:
    scene = Scene(Restart())
    scene.confirms = False
    scene.report()
    begun = scene.only()
    scene.tell(m.HoldRequested(component="db", who="ann", reason="why"))
    scene.confirms = True
    scene.journal["1.1"] = begun
    scene.tell(m.IncidentRecorded(incident_id="1.1", version=begun.version))
    assert (scene.ran, scene.only().begun) == ([], None)
    scene.tell(m.ReleaseRequested(component="db"))
    assert scene.actions == ["restart"]


def test_a_call_that_is_abandoned_before_the_record_is_confirmed_is_not_made() -> None:
    scene = Scene(Fallback(len), Restart())
    scene.confirms = False
    scene.report(call="c1")
    begun = scene.only()
    scene.tell(m.CallAbandoned(call="c1"))
    scene.confirms = True
    scene.journal["1.1"] = begun
    scene.tell(m.IncidentRecorded(incident_id="1.1", version=begun.version))
    assert scene.actions == ["restart"]


def test_an_end_that_is_told_twice_counts_once() -> None:
    scene = Scene(Restart())
    scene.outcome = lambda _: None
    scene.verdict = lambda _: None
    scene.report()
    ended = scene.ended(scene.runs[0], "succeeded")
    assert len(of(m.Verify, scene.tell(ended))) == 1
    assert scene.tell(ended) == []
    assert scene.machine.statistics().in_flight == 1


def test_a_probe_is_asked_again_not_twice_at_a_time() -> None:
    scene = Scene(Restart(), verify_every_s=2.0, verify_s=10.0)
    scene.verdict = lambda _: "failed"
    (first,) = of(m.Verify, scene.report())
    late = m.VerificationEnded(incident_id="1.1", number=first.number, verdict="passed")
    assert scene.tell(late) == [], "it has answered already"
    assert len(of(m.Verify, scene.later(2.0))) == 1


def test_only_who_ends_a_component_to_start_it_again_may_have_left_it_ended() -> None:
    cases: tuple[tuple[Action, Outcome, bool], ...] = (
        ("restart", "unknown", True),
        ("cut_over", "unknown", True),
        ("restart", "failed", False),
        ("isolate", "unknown", False),
    )
    for action, outcome, told in cases:
        step = Step(action=action, number=0, timeout_s=1.0)
        taken = (Taken(step=step, outcome=outcome),)
        incident = Incident(incident_id="1", component="db", failure="x", severity="low", taken=taken)
        assert may_have_ended_it(incident) is told


def test_what_a_fallback_answers_each_call_is_answered_by_it_where_no_probe_says_that_it_is_well() -> None:
    scene = Scene(Retry(attempts=2), Fallback(len))
    scene.verdict = lambda _: "unprobed"
    scene.outcome = lambda run: "failed" if run.step.action == "call" else None
    commands = scene.report(call="c1") + scene.later(10.0)
    commands += scene.report(call="c2") + scene.report(call="c3")
    scene.outcome = lambda _: "succeeded"
    commands += scene.tell(scene.ended(scene.runs[-1], "succeeded"))
    assert answers(commands) == [("c1", "result"), ("c2", "result"), ("c3", "result")]
    assert scene.actions == ["call", "provider", "provider", "provider"]
    assert (scene.only().phase, scene.only().reports) == ("resolved", 3)


def test_where_a_probe_says_that_it_is_well_those_who_joined_a_fallback_call_again() -> None:
    scene = Scene(Fallback(len))
    scene.outcome = lambda _: None
    scene.report(call="c1")
    scene.report(call="c2")
    commands = scene.tell(scene.ended(scene.runs[-1], "succeeded"))
    assert answers(commands) == [("c1", "result"), ("c2", "again")]
