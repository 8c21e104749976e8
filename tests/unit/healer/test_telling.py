from __future__ import annotations

from dataclasses import replace

from actors.healer import messages as m
from actors.healer.incident import Incident
from actors.healer.telling import alert_key, alert_of, is_of_incident, may_be_told, nth_time, wants_people
from actors.recovery.strategies import Escalate, Isolate
from tests.unit.healer.scene import Scene, of


def ended(scene: Scene) -> Incident:
    scene.later(1000.0)
    return scene.only()


def ends(commands: list[m.Command]) -> list[tuple[str, str, str]]:
    """How alerts end among them: which incident, how, and in words."""
    return [(each.incident_id, each.how, each.detail) for each in of(m.EndAlert, commands)]


def test_people_are_told_what_was_tried_and_each_time_anew_under_one_key():
    scene = Scene(Isolate(), Escalate(repeats=2, repeat_s=10.0))
    scene.verdict = lambda _: "failed"
    scene.outcome = lambda run: "failed" if run.step.action == "isolate" else "succeeded"
    scene.report("db", "crash", detail="no answer")
    alert = alert_of(scene.only(), runbook="https://wiki", nth=nth_time(1, 0))
    assert (alert.key, alert.title, alert.runbook) == ("1.1/escalated", "db: crash", "https://wiki")
    assert alert.body.startswith("no answer\ntried: isolate: isolate failed")
    incident = ended(scene)
    assert incident.phase == "escalated"
    assert alert_key(incident.incident_id) == alert.key
    assert nth_time(0, 0) < nth_time(0, 1) < nth_time(1, 0) == alert.nth < nth_time(1, 1)
    assert is_of_incident(alert)
    assert not is_of_incident(replace(alert, key="mine"))


def test_who_was_never_told_is_told_of_an_escalation_and_of_its_end():
    scene = Scene(Isolate(), escalated_s=1e5)
    scene.verdict = lambda _: "failed"
    assert ends(scene.report("db", "crash") + scene.later(1000.0)) == []
    assert alert_of(scene.only()).key == "1.1/escalated"
    assert ends(scene.tell(m.TroubleEnded(component="db"))) == [("1.1", "over", "its component is well again")]


def test_an_incident_of_which_nobody_was_told_ends_for_nobody():
    scene = Scene(Isolate(), Escalate())
    assert ends(scene.report("db", "crash")) == []
    (incident,) = scene.machine.incidents()
    assert incident.phase == "resolved"
    assert not may_be_told(incident)


def test_an_incident_that_is_forgotten_ends_for_those_who_were_told():
    scene = Scene(Escalate(repeats=2, repeat_s=10.0), escalated_s=100.0, verify_s=1.0)
    scene.verdict = lambda _: "failed"
    assert ends(scene.report("db", "crash") + scene.later(30.0)) == []
    assert scene.only().phase == "escalated"
    words = "it was people's for 100 s and is followed no more; trouble is a new incident from now on"
    assert ends(scene.later(100.0)) == [("1.1", "forgotten", words)]


def test_an_incident_that_is_taken_over_ends_for_those_who_were_told_whenever_that_is():
    telling = Scene(Escalate(repeats=3, repeat_s=10.0))
    telling.report("db", "crash")
    taken = ("1.1", "taken", "ann has taken it over")
    assert ends(telling.tell(m.Acknowledged(incident_id="1.1", who="ann"))) == [taken]
    assert ends(telling.tell(m.TroubleEnded(component="db"))) == [("1.1", "over", "its component is well again")]

    in_a_step = Scene(Escalate(repeats=3, repeat_s=10.0))
    in_a_step.outcome = lambda _: None
    in_a_step.report("db", "crash")
    assert ends(in_a_step.tell(m.Acknowledged(incident_id="1.1", who="ann"))) == [], "people are being told just now"
    assert ends(in_a_step.tell(in_a_step.ended(in_a_step.runs[-1], "succeeded"))) == [taken]

    escalated = Scene(Isolate())
    escalated.outcome = lambda _: "failed"
    escalated.report("db", "crash")
    assert ends(escalated.tell(m.Acknowledged(incident_id="1.1", who="ann"))) == [taken]


def test_a_new_life_ends_what_nobody_follows_any_more():
    """It was over, or forgotten, and the life that was to say so died over it."""
    scene = Scene(Isolate(), escalated_s=1e5)
    scene.outcome = lambda _: "failed"
    scene.report("db", "crash")
    scene.report("web", "crash")
    scene.tell(m.Acknowledged(incident_id="1.2", who="ann"))
    kept = scene.machine.kept()
    scene.begin(incarnation=2)
    scene.tell(m.JournalRecovered(kept=kept))
    assert ends(scene.tell(m.AlertsFound(incidents=("1.1", "1.2", "0.9")))) == [
        ("1.2", "taken", "ann has taken it over"),
        ("0.9", "forgotten", "its incident is followed no more"),
    ]


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
