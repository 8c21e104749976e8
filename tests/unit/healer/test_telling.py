from __future__ import annotations

from actors.healer import messages as m
from actors.healer.incident import Incident
from actors.healer.telling import alert_of, keys_of, time_key, wants_people
from actors.recovery.strategies import Escalate, Isolate
from tests.unit.healer.scene import Scene


def ended(scene: Scene) -> Incident:
    scene.later(1000.0)
    return scene.only()


def test_people_are_told_what_was_tried_and_each_time_anew():
    scene = Scene(Isolate(), Escalate(repeats=2, repeat_s=10.0))
    scene.verdict = lambda _: "failed"
    scene.outcome = lambda run: "failed" if run.step.action == "isolate" else "succeeded"
    scene.report("db", "crash", detail="no answer")
    alert = alert_of(scene.only(), runbook="https://wiki", key=time_key(1, 0))
    assert (alert.key, alert.title, alert.runbook) == ("1.1/1.0", "db: crash", "https://wiki")
    assert alert.body.startswith("no answer\ntried: isolate: isolate failed")
    incident = ended(scene)
    assert incident.phase == "escalated"
    assert keys_of(incident)[:2] == ("1.1/1.0", "1.1/1.1")


def test_who_was_never_told_is_told_of_an_escalation_and_of_its_end():
    scene = Scene(Isolate(), escalated_s=1e5)
    scene.verdict = lambda _: "failed"
    scene.report("db", "crash")
    assert keys_of(ended(scene)) == ()
    assert alert_of(scene.only()).key == "1.1/escalated"
    commands = scene.tell(m.TroubleEnded(component="db"))
    (told,) = [each for each in commands if isinstance(each, m.TellPhase)]
    assert keys_of(told.incident) == ("1.1/escalated",)


def test_an_incident_of_which_nobody_was_told_resolves_nothing():
    scene = Scene(Isolate())
    (resolved,) = [
        each.incident
        for each in scene.report("db", "crash")
        if isinstance(each, m.TellPhase) and each.incident.phase == "resolved"
    ]
    assert keys_of(resolved) == ()


def test_people_are_wanted_where_nobody_was_told_and_nobody_has_it():
    scene = Scene(Isolate(), escalated_s=1e5)
    scene.verdict = lambda _: "failed"
    scene.report("db", "crash")
    assert not wants_people(scene.only()), "it is being healed"
    assert wants_people(ended(scene))
    scene.tell(m.Acknowledged(incident_id="1.1", who="ann"))
    assert not wants_people(scene.only())
    told = Scene(Escalate(repeats=1))
    told.report("db", "crash")
    assert not wants_people(ended(told))
