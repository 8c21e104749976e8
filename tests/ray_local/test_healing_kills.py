"""A healer or the coordinator SIGKILLed at every recorded step: another goes on, and no effect is had twice."""

from __future__ import annotations

import json
import os
import signal
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from actors.healer.telling import alert_key
from supervisor import Fallback, Provider, Restart, Restore, Retry, Supervisor
from supervisor.services.keys import HEALER, NOTIFIER
from supervisor.tree import LOG
from tests.ray_local import ailments
from tests.ray_local.conftest import Marks, StartSupervisor
from tests.ray_local.test_healing import QUICK
from tests.unit.notifier.scene import alert
from tests.unit.notifier.sinks import http_sink


@pytest.fixture(scope="module")
def ward(start_for_module: StartSupervisor) -> Supervisor:
    return start_for_module(healer=QUICK | {"verify_s": 20.0})


def pids(sup: Supervisor) -> dict[str, int]:
    return {
        child.key: child.location.process.pid
        for child in sup.status().tree
        if child.key.startswith("healer/") and child.location is not None and child.status == "running"
    }


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def latest(sup: Supervisor, component: str):
    return [each for each in sup.healer.incidents() if each.component == component][-1]


def recorded(sup: Supervisor, component: str) -> str:
    """The phase of a component's latest incident, which the log knows also when it was over before the kill."""
    sql = "SELECT phase FROM recorded_incidents WHERE component = ? ORDER BY version DESC LIMIT 1"
    return sup.events.query(sql, [component])[0]["phase"]


def ready(sup: Supervisor, eventually) -> None:
    sup.healer.statistics()
    eventually(lambda: len(pids(sup)) == 3, "the coordinator and two healers run")


def test_a_healer_killed_in_the_middle_of_a_call_is_replaced_and_the_call_ends(
    ward: Supervisor, marks: Marks, eventually
):
    """What nobody knows of a provider is not asked again: the next one is."""
    ready(ward, eventually)
    ward.healer.plan("mid", [Fallback(ailments.slow_backup, others=(Provider(ailments.backup),))])
    told: list[str] = []
    caller = threading.Thread(target=lambda: told.append(ward.heal("mid", ailments.never, args=(marks.path, "m"))))
    caller.start()
    eventually(lambda: "slow-m" in marks.lines(), "the first provider is asked")
    kill(int(Path(f"{marks.path}.pid").read_text()))
    caller.join(60)
    assert told == ["backup of m"]
    assert sorted(marks.lines()) == ["backup-m", "m", "slow-m"]


@pytest.mark.parametrize("who", ["healer", "coordinator"])
@pytest.mark.parametrize(
    "moment", [*(pytest.param(each, marks=pytest.mark.soak) for each in ("load", "verify")), "apply"]
)
def test_whoever_is_killed_in_a_step_another_goes_on_and_an_effect_is_had_once(
    ward: Supervisor, marks: Marks, eventually, moment: str, who: str
):
    """What only reads is done again; whether what changes was done is seen by the component's probe."""
    ready(ward, eventually)
    name = f"patient-{moment}-{who}"
    child = ward.supervise(ailments.Patient, name=name)
    child.pid.remote().result(timeout=30)
    where = next(each for each in ward.status().tree if each.key == f"child/{name}").location
    node = "" if where is None else where.node_id
    surgery = ailments.Surgery(marks.path, moment)
    ward.healer.plan(name, [Restore(load=surgery.load, verify=surgery.verify, apply=surgery.apply, timeout_s=60.0)])
    ward.healer.report(name, failure="spoilt")
    eventually(lambda: moment in marks.lines(), "the step is taken")
    kill(int(Path(f"{marks.path}.{moment}").read_text()) if who == "healer" else pids(ward)[HEALER])
    eventually(lambda: latest(ward, name).phase == "resolved", "it is healed", 90.0)
    assert latest(ward, name).node == node, "healers know where it failed"
    done = [line for line in marks.lines() if not line.endswith("went-on")]
    assert done.count("apply") == 1
    assert done.count("load") == (2 if moment == "load" else 1)
    assert done.count("verify") == (2 if moment == "verify" else 1)


@pytest.mark.soak
@pytest.mark.parametrize("moment", ["diagnosed", "recovering", "verifying"])
def test_the_coordinator_killed_in_any_phase_goes_on_and_restarts_a_child_once(
    ward: Supervisor, eventually, moment: str
):
    ready(ward, eventually)
    name = f"child-{moment}"
    child = ward.supervise(ailments.Patient, name=name)
    child.pid.remote().result(timeout=30)
    incarnation = next(each for each in ward.status().tree if each.key == f"child/{name}").incarnation
    ward.healer.plan(name, [Restart()])
    coordinator = pids(ward)[HEALER]
    with ward.healer.subscribe() as changes:
        ward.healer.report(name, failure="crash")
        while (change := changes.next(30.0)) is not None and (change.component, change.after) != (name, moment):
            pass
        kill(coordinator)
    eventually(lambda: recorded(ward, name) == "resolved", "it is healed, by this life or the next one", 60.0)
    after = next(each for each in ward.status().tree if each.key == f"child/{name}").incarnation
    assert after - incarnation <= 1
    assert ward.heal(name, len, args=("abc",)) == 3


@pytest.mark.soak
def test_a_result_that_was_on_record_reaches_its_call_though_the_coordinator_dies(
    ward: Supervisor, marks: Marks, eventually
):
    ready(ward, eventually)
    ward.healer.plan("kept", [Retry(min_s=0.0, max_s=0.01, attempts=10)])
    for number in range(3):
        told: list[str] = []
        word = f"k{number}"
        caller = threading.Thread(
            target=lambda word=word, told=told: told.append(
                ward.heal("kept", ailments.flaky, args=(marks.path, word, 1), failure=word)
            )
        )
        caller.start()
        eventually(lambda word=word: marks.lines().count(word) == 2, "a healer has run it")
        kill(pids(ward)[HEALER])
        caller.join(60)
        assert [each.split()[0] for each in told] == [word]
        ready(ward, eventually)


def test_what_a_person_took_over_is_theirs_though_the_coordinator_dies(ward: Supervisor, eventually):
    """The same trouble joins it, nothing is tried again, and its end is told under the name that people know."""
    ready(ward, eventually)
    ward.healer.plan("theirs", [Restart()])
    ward.healer.report("theirs", failure="crash")
    eventually(lambda: latest(ward, "theirs").phase == "escalated", "nothing has helped")
    (taken,) = [each for each in ward.healer.incidents() if each.component == "theirs"]
    ward.healer.acknowledge(taken.incident_id, who="ann")
    steps = "SELECT count(*) AS n FROM recovery_events WHERE component = 'theirs' AND event = 'step'"
    ward.healer.hold("nobody", reason="what was said before is on record when this returns")
    before = ward.events.query(steps)
    kill(pids(ward)[HEALER])
    ward.healer.report("theirs", failure="crash", severity="critical")
    (kept,) = [each for each in ward.healer.incidents() if each.component == "theirs"]
    assert (kept.incident_id, kept.phase, kept.owner) == (taken.incident_id, "escalated", "ann")
    assert kept.reports == taken.reports + 1
    ward.healer.client.ask("well", "theirs")
    eventually(lambda: recorded(ward, "theirs") == "resolved", "its end is on record")
    assert ward.events.query(steps) == before
    ward.healer.release("nobody")


@pytest.mark.soak
def test_holds_plans_and_lessons_outlive_the_coordinator(ward: Supervisor, marks: Marks, eventually):
    ready(ward, eventually)
    ward.healer.plan("kept2", [Retry(min_s=0.0, max_s=0.01)])
    ward.heal("kept2", ailments.flaky, args=(marks.path, "x", 1), failure="network")
    ward.healer.hold("other", reason="upgrade", who="ann")
    eventually(lambda: any(each["component"] == "kept2" for each in ward.healer.lessons()), "it is learned")
    kill(pids(ward)[HEALER])
    assert ward.healer.holds() == {"other": ("ann", "upgrade")}
    assert any(each["component"] == "kept2" for each in ward.healer.lessons())
    assert "plan for component kept2" in ward.healer.dry_run("kept2").why[0]
    ward.healer.release("other")


@pytest.mark.soak
def test_calls_of_a_process_that_died_wait_no_more(ward: Supervisor, eventually):
    ready(ward, eventually)
    ward.healer.plan("orphan", [Retry(min_s=0.0, max_s=0.01)])
    ward.healer.hold("orphan", reason="wait")
    future = ward.options(key="orphan-call").submit(heal_there, ward.name)
    eventually(lambda: any(each.component == "orphan" for each in ward.healer.incidents()), "it is reported")
    incident = latest(ward, "orphan")
    assert incident.call
    for child in ward.status().tree:
        if child.key.startswith("worker/") and child.location is not None:
            kill(child.location.process.pid)
    eventually(lambda: latest(ward, "orphan").call != incident.call, "its call is given up")
    ward.healer.release("orphan")
    future.cancel()


def heal_there(name: str) -> str:
    sup = Supervisor.connect(name)
    return sup.heal("orphan", ailments.never, args=(os.devnull, "o"))


@pytest.mark.soak
def test_a_hold_outlives_the_coordinator_though_the_log_did_not_answer(ward: Supervisor, eventually):
    ready(ward, eventually)
    before = pids(ward)[HEALER]
    (log,) = (each.location.process.pid for each in ward.status().tree if each.key == LOG and each.location)
    os.kill(log, signal.SIGSTOP)
    try:
        ward.healer.hold("unwritten", reason="upgrade", who="ann")
        kill(before)
    finally:
        with suppress(ProcessLookupError):  # it was replaced meanwhile
            os.kill(log, signal.SIGCONT)
    assert ward.healer.holds() == {"unwritten": ("ann", "upgrade")}
    assert pids(ward)[HEALER] != before
    assert ward.healer.release("unwritten")
    kill(pids(ward)[HEALER])
    assert ward.healer.holds() == {}


@pytest.mark.soak
def test_a_new_life_ends_the_alert_of_an_incident_that_nobody_follows_any_more(start: StartSupervisor, eventually):
    """As one that was over when its coordinator was killed, before people were told so."""
    with http_sink() as sink:
        hook = {"name": "hook", "kind": "webhook", "url": sink.url}
        notifier = {"channels": [hook], "routes": [{"channels": "hook"}], "group_s": 0.0}
        sup = start(healer=QUICK | {"plans": []}, notifier=notifier)

        def told() -> set[tuple[str, str]]:
            alerts = [alert for posted in sink.posted for alert in json.loads(posted.body)["alerts"]]
            return {(each["key"], each["status"]) for each in alerts}

        sup.healer.report("db", failure="crash")
        (lasting,) = sup.healer.incidents()
        key = alert_key(lasting.incident_id)
        sup.service(NOTIFIER).change("raise", alert(alert_key("0.9"), incident_id="0.9"), ())
        firing = {(key, "firing"), (alert_key("0.9"), "firing")}
        eventually(lambda: told() == firing, "people are told of both")
        kill(pids(sup)[HEALER])
        eventually(lambda: told() == firing | {(alert_key("0.9"), "resolved")}, "only the one that nobody follows ends")
        sup.healer.client.ask("well", "db")
        eventually(lambda: (key, "resolved") in told(), "the other ends with its incident")
