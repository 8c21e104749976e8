"""Health, healing, degradation and telling people as they work on each other, on one supervisor."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from supervisor import DegradationSettings, LevelRule, Policy, Restart, Restore, Retry, Supervisor
from supervisor.healing.healer import Healer
from supervisor.services.keys import HEALTH
from tests.ray_local.ailments import Patient as Child
from tests.ray_local.conftest import Family, StartSupervisor
from tests.ray_local.sickroom import QUICK_HEALTH, Ward
from tests.unit.notifier.sinks import Sink, http_sink

Eventually = Callable[..., None]

RULES = [
    LevelRule(level="reduced", signal="component_score", of="db", enter=50, leave=90),
    LevelRule(level="minimal", signal="component_score", of="core", enter=10, leave=90, at_once=True),
]
HEALER = {"verify_s": 10.0, "verify_every_s": 0.1, "task_failures": 3, "task_window_s": 60.0}


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    with http_sink() as sink:
        yield sink


@pytest.fixture(scope="module")
def sup(sink: Sink, start_for_module: StartSupervisor) -> Supervisor:
    hook = {"name": "hook", "kind": "webhook", "url": sink.url, "timeout_s": 5.0}
    changes: dict[str, Any] = {
        "health": QUICK_HEALTH,
        "healer": HEALER,
        "notifier": {"channels": [hook], "routes": [{"channels": "hook", "severity": "high"}], "group_s": 0.0},
        "degradation": DegradationSettings.parse(
            {"rules": RULES, "dwell_down_s": 0.0, "dwell_up_s": 0.2}, source="test"
        ),
    }
    return start_for_module(**changes)


@pytest.fixture
def ward(sup: Supervisor, tmp_path: Path) -> Iterator[Ward]:
    yield Ward(sup, tmp_path)
    for name in sup.health.report().components:
        sup.health.unregister(name)


def incidents(healer: Healer, component: str) -> list[tuple[str, str, str]]:
    return [(each.failure, each.source, each.phase) for each in healer.incidents() if each.component == component]


def test_the_level_follows_what_the_monitor_sees(ward: Ward, eventually: Eventually) -> None:
    degradation = ward.sup.degradation
    db, core = ward.patient("db"), ward.patient("core", critical=True)
    eventually(lambda: ward.state("db") == ward.state("core") == "healthy", "both are well")
    assert degradation.level == "full"
    db.be("bad")
    eventually(lambda: degradation.level == "reduced", "a sick component degrades")
    assert degradation.reason.startswith("component_score of db at ")
    core.be("bad")
    eventually(lambda: degradation.level == "minimal", "another does it at once")
    core.be("ok")
    db.be("ok")
    eventually(lambda: degradation.level == "full", "it comes back step by step")
    db.be("bad")
    eventually(lambda: degradation.level == "reduced", "and again")
    ward.sup.health.unregister("db")
    eventually(lambda: ("component_score", "db") not in degradation.view().signals, "nothing is known of it any more")
    assert degradation.level == "reduced", "who does not see does not recover"


def test_of_a_sick_child_the_healer_decides_where_there_is_one(ward: Ward, eventually: Eventually) -> None:
    sup, family = ward.sup, Family(ward.sup)
    sup.supervise(Child, name="cart")
    before = family.pid("child/cart")
    sup.healer.plan("cart", [Restart()])
    sup.healer.hold("cart", reason="upgrade")
    cart = ward.patient("cart")
    eventually(lambda: ward.state("cart") == "healthy", "it is well")
    cart.be("bad")
    eventually(lambda: incidents(sup.healer, "cart") == [("sick", "health", "diagnosed")], "it is an incident")
    checks = cart.checks()
    eventually(lambda: cart.checks() > checks + 5, "it is sick still")
    assert family.pid("child/cart") == before, "nothing heals what an operator holds, the monitor neither"
    cart.be("ok")
    eventually(lambda: incidents(sup.healer, "cart") == [("sick", "health", "resolved")], "it is well by itself")
    sup.healer.release("cart")
    cart.be("bad")
    eventually(lambda: family.pids().get("child/cart", before) != before, "it is restarted")
    cart.be("ok")
    eventually(lambda: {each[2] for each in incidents(sup.healer, "cart")} == {"resolved"}, "and well again")
    told = "SELECT count(*) AS n FROM children WHERE child = 'child/cart' AND detail LIKE '%the health of cart%'"
    assert sup.events.query(told) == [{"n": 0}], "by the healer alone"
    node = next(each.node for each in sup.healer.incidents() if each.component == "cart")
    where = family.child("child/cart").location
    assert where is not None
    assert node == where.node_id, "healers know where it fails"
    sup.root.terminate("cart")
    sup.root.delete("cart")


@pytest.mark.soak
def test_a_component_that_is_a_child_by_its_place_and_a_pools_member_are_replaced(
    ward: Ward, eventually: Eventually
) -> None:
    sup, family = ward.sup, Family(ward.sup)
    sup.supervise(Child, name="till")
    sup.healer.plan("till-state", [Restart()])
    sup.healer.plan("worker/*", [Restart()])
    for name, key in (("till-state", "child/till"), ("worker/default-0", "worker/default-0")):
        before = family.pid(key)
        inside = ward.patient(name, on=f"child:{key}", timeout_s=5.0)
        eventually(lambda name=name: ward.state(name) == "healthy", "it is well")
        inside.be("bad")
        eventually(lambda key=key, pid=before: family.pids().get(key, pid) != pid, "it is replaced")
        inside.be("ok")
        eventually(lambda name=name: incidents(sup.healer, name)[-1][2] == "resolved", "and well again")
    sup.root.terminate("till")
    sup.root.delete("till")


@pytest.mark.soak
def test_who_depends_on_a_sick_one_waits_for_it(ward: Ward, eventually: Eventually) -> None:
    sup = ward.sup
    sup.healer.hold("base", reason="a test")
    base, above = ward.patient("base"), ward.patient("above", depends_on="base")
    eventually(lambda: ward.state("base") == ward.state("above") == "healthy", "both are well")
    base.be("bad")
    eventually(lambda: len(incidents(sup.healer, "base")) == 1, "it is an incident")
    above.be("bad")
    eventually(lambda: len(incidents(sup.healer, "above")) == 1, "this one, too")
    (cause,) = (each for each in sup.healer.incidents() if each.component == "base")
    (caused,) = (each for each in sup.healer.incidents() if each.component == "above")
    assert (caused.caused_by, caused.phase) == (cause.incident_id, "diagnosed")
    base.be("ok")
    above.be("ok")
    both = ("base", "above")
    eventually(lambda: {each[2] for name in both for each in incidents(sup.healer, name)} == {"resolved"}, "it is over")
    sup.healer.release("base")


@pytest.mark.soak
def test_a_coordinator_that_begins_hears_of_what_is_sick_already(ward: Ward, eventually: Eventually) -> None:
    sup, family = ward.sup, Family(ward.sup)
    sup.healer.hold("early", reason="a test")
    sup.healer.depends({"early": ("earlier",)})
    pid = family.signal("healer/main", signal.SIGSTOP)
    early = ward.patient("early", "bad")
    eventually(lambda: ward.state("early") == "unhealthy", "it falls sick while nobody coordinates")
    os.kill(pid, signal.SIGKILL)
    os.kill(pid, signal.SIGCONT)
    eventually(lambda: len(incidents(sup.healer, "early")) == 1, "the next life is told")
    sup.healer.hold("earlier", reason="a test")
    sup.healer.report("earlier", failure="crash")
    sup.healer.report("early", failure="crash")
    assert incidents(sup.healer, "early")[-1][0] == "crash"
    (late,) = (each for each in sup.healer.incidents() if (each.component, each.failure) == ("early", "crash"))
    assert late.caused_by, "what was said by hand holds over its death"
    early.be("ok")
    eventually(lambda: {each[2] for each in incidents(sup.healer, "early")} == {"resolved"}, "it is over")
    sup.healer.release("early")


def test_people_are_told_that_the_monitor_did_not_see(ward: Ward, sink: Sink, eventually: Eventually) -> None:
    well = ward.patient("well")
    eventually(lambda: ward.state("well") == "healthy", "it is watched")
    before = len(told_of_its_death(sink))
    Family(ward.sup).signal(HEALTH)
    eventually(lambda: len(told_of_its_death(sink)) == before + 2, "both are told")
    assert told_of_its_death(sink)[before:] == [("health/main", "firing"), ("health/main", "resolved")]
    checks = well.checks()
    eventually(lambda: well.checks() > checks, "it is watched again")
    assert ward.state("well") == "healthy"
    assert incidents(ward.sup.healer, "well") == [], "nobody was taken for sick"


def told_of_its_death(sink: Sink) -> list[tuple[str, str]]:
    alerts = [alert for posted in sink.posted for alert in json.loads(posted.body)["alerts"]]
    return [(each["component"], each["status"]) for each in alerts if each["key"] == "health/main/blind/killed"]


@pytest.mark.soak
def test_a_function_whose_tasks_fail_is_an_incident(sup: Supervisor, eventually: Eventually) -> None:
    sup.healer.plan("*on_purpose", [Restart()])
    policy = Policy(retry=Retry(attempts=1))
    failed = [sup.options(policy=policy).submit(on_purpose) for _ in range(4)]
    assert all(isinstance(each.exception(timeout=30), ValueError) for each in failed)

    def seen() -> list[tuple[str, str, str]]:
        found = [each for each in sup.healer.incidents() if each.component.endswith("on_purpose")]
        return [(each.failure, each.source, each.phase) for each in found]

    eventually(lambda: seen() == [("tasks fail", "task", "escalated")], "it is seen, and cannot be restarted")
    (incident,) = (each for each in sup.healer.incidents() if each.component.endswith("on_purpose"))
    assert "failed in 60 s, the latest by ValueError" in incident.detail
    assert "no supervised child of that name" in str(incident.history)


@pytest.mark.soak
def test_a_function_whose_tasks_are_done_again_after_a_step_is_well(
    sup: Supervisor, eventually: Eventually, tmp_path: Path
) -> None:
    """That is seen in its tasks, for it has no probe; and what failed before counts no more."""
    repaired = tmp_path / "repaired"

    def repair(state: str) -> None:
        Path(state).touch()

    def state_of(component: str) -> str:
        del component
        return str(repaired)

    sup.healer.plan("*unless_there", [Restore(load=state_of, apply=repair)])
    once = sup.options(policy=Policy(retry=Retry(attempts=1)))
    for _ in range(4):
        assert isinstance(once.submit(unless_there, str(repaired)).exception(timeout=30), FileNotFoundError)

    def phases() -> list[str]:
        once.submit(unless_there, str(repaired)).exception(timeout=30)
        return [each.phase for each in sup.healer.incidents() if each.component.endswith("unless_there")]

    eventually(lambda: phases() == ["resolved"], "its tasks are done again")
    (incident,) = (each for each in sup.healer.incidents() if each.component.endswith("unless_there"))
    assert incident.verified
    assert sup.healer.statistics().components[incident.component].mean_detect_s


def unless_there(path: str) -> None:
    Path(path).read_text()


def on_purpose() -> None:
    raise ValueError("on purpose")
