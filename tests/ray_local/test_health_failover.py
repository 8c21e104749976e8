"""The monitor killed, stopped, starved: registrations and counts stay, and nobody is taken for sick meanwhile."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from actors.health.published import HealthStanding
from supervisor import Supervisor
from tests.ray_local.conftest import HEARTBEAT, Family, StartSupervisor
from tests.ray_local.sickroom import QUICK_HEALTH, Ward

Eventually = Callable[..., None]
MONITOR = "health/main"


@pytest.fixture
def ward(start: StartSupervisor, tmp_path: Path) -> Ward:
    return Ward(start(health=QUICK_HEALTH), tmp_path)


def kill_monitor(sup: Supervisor, eventually: Eventually) -> None:
    family = Family(sup)
    pid = family.signal(MONITOR)
    eventually(lambda: another_runs(family, MONITOR, pid), "another monitor runs")


def another_runs(family: Family, key: str, pid: int) -> bool:
    return family.pids().get(key, pid) != pid


def standings(sup: Supervisor) -> list[HealthStanding]:
    """How things stand, in both ways to ask."""
    return [standing for standing in (sup.health.standing(), sup.status().health) if standing is not None]


def alarms(sup: Supervisor, event: str) -> list[float]:
    rows = sup.events.query("SELECT gap_ms FROM system_health_snapshots WHERE event = ?", [event])
    return [row["gap_ms"] for row in rows]


@pytest.mark.soak
def test_registrations_and_counts_outlive_it(ward: Ward, eventually: Eventually) -> None:
    sup = ward.sup
    well, sick = ward.patient("well"), ward.patient("sick", "bad")
    often = ward.patient("often", "bad", failures=1000, interval_s=0.05)
    eventually(lambda: ward.state("well") == "healthy" and ward.state("sick") == "unhealthy", "both are judged")
    eventually(lambda: often.checks() > 10, "it was counted")
    changes = sup.health.subscribe()
    kill_monitor(sup, eventually)
    before = well.checks(), sick.checks()
    eventually(lambda: well.checks() > before[0] and sick.checks() > before[1], "both are checked again")
    assert (ward.state("well"), ward.state("sick")) == ("healthy", "unhealthy")
    change = changes.next(20.0)
    assert change is not None
    assert (change.kind, change.component) == ("blind", ""), "its own blindness is told, and no component changed"
    assert change.silent_s < 60.0
    changes.close()
    eventually(lambda: len(alarms(sup, "killed")) == 1, "it is on record")
    ward.patient("new")
    eventually(lambda: ward.state("new") == "healthy", "the next life takes registrations")


@pytest.mark.parametrize(
    "moment", ["checking", *(pytest.param(each, marks=pytest.mark.soak) for each in ("registering", "sick"))]
)
def test_killed_at_any_moment_it_goes_on(ward: Ward, eventually: Eventually, moment: str) -> None:
    sup, family = ward.sup, Family(ward.sup)
    first = ward.patient("first", "hang" if moment == "checking" else "ok")
    eventually(lambda: first.checks() > 0, "it is checked")
    if moment == "sick":
        first.be("bad")
        eventually(lambda: ward.state("first") == "unhealthy", "it is sick")
    pid = family.signal(MONITOR)
    if moment == "registering":
        ward.patient("second")  # asked of a dead one: it is done by the next, once
        eventually(lambda: ward.state("second") == "healthy", "it is watched")
    eventually(lambda: another_runs(family, MONITOR, pid), "another one runs")
    expected = {"registering": "healthy", "checking": "unhealthy", "sick": "unhealthy"}[moment]
    eventually(lambda: ward.state("first") == expected, "it is judged")
    assert "first" in sup.health.report().components


@pytest.mark.soak
@pytest.mark.parametrize("replaced", [True, False], ids=["until it is replaced", "and resumed"])
def test_while_it_is_stopped_nobody_is_taken_for_sick(
    start: StartSupervisor, eventually: Eventually, tmp_path: Path, replaced: bool
) -> None:
    patience = HEARTBEAT if replaced else {"heartbeat_s": 1.0, "hang_timeout_s": 60.0}
    ward = Ward(start(health=QUICK_HEALTH, services=patience), tmp_path)
    sup, family, names = ward.sup, Family(ward.sup), ("a", "b", "c")
    patients = [ward.patient(name, failures=1) for name in names]
    eventually(lambda: all(ward.state(name) == "healthy" for name in names), "all are well")
    with sup.health.subscribe() as changes:
        pid, stopped_at = family.signal(MONITOR, signal.SIGSTOP), time.monotonic()
        if replaced:
            eventually(lambda: another_runs(family, MONITOR, pid), "another one runs")
        else:
            eventually(lambda: time.monotonic() > stopped_at + 2 * QUICK_HEALTH["blind_after_s"], "it was long enough")
            eventually(
                lambda: all(standing.blind for standing in standings(sup)), "what lies there says nothing of now"
            )
            assert all(standing.age_s > standing.stale_after_s for standing in standings(sup))
            os.kill(pid, signal.SIGCONT)
        change = changes.next(30.0)
        assert change is not None
        assert change.kind == "blind"
        before = [patient.checks() for patient in patients]
        eventually(
            lambda: all(patient.checks() > count + 2 for patient, count in zip(patients, before, strict=True)),
            "all are checked again",
        )
        later = [each for each in iter(lambda: changes.next(0.0), None) if each.kind == "state"]
        assert [each for each in later if each.after != "healthy"] == [], "nobody was taken for sick"
    assert all(ward.state(name) == "healthy" for name in names)
    eventually(lambda: not any(standing.blind for standing in standings(sup)), "it is said anew how things stand")
    eventually(lambda: alarms(sup, "killed" if replaced else "starved") != [], "it is on record")


@pytest.mark.soak
def test_a_sick_child_is_replaced_and_a_well_one_is_left_alone(ward: Ward, eventually: Eventually) -> None:
    sup, family = ward.sup, Family(ward.sup)
    for name in ("cart", "till"):
        sup.supervise(Thing, name=name)
    before = {name: family.pid(f"child/{name}") for name in ("cart", "till")}
    cart, _ = ward.patient("cart"), ward.patient("till")
    eventually(lambda: ward.state("cart") == ward.state("till") == "healthy", "both are well")
    cart.be("bad")
    eventually(lambda: another_runs(family, "child/cart", before["cart"]), "it was replaced")
    cart.be("ok")
    eventually(lambda: ward.state("cart") == "healthy", "the new one is well")
    assert family.pid("child/till") == before["till"]
    told = "SELECT event FROM children WHERE child = 'child/cart' AND detail LIKE '%the health of cart: bad%'"
    eventually(lambda: sup.events.query(told) != [], "why is on record")


class Thing:
    def do(self) -> None:
        """It does nothing."""
