"""What is remembered of a component, and which of its changes are told."""

from __future__ import annotations

from typing import Any

from actors.health.component import Component, Turn
from actors.health.phi import Heartbeats
from actors.health.probe import Probe
from actors.health.report import Check
from tests.unit.health.scene import probe, quiet


def _component(**fields: Any) -> Component:
    made = Component(quiet(**fields), now=0.0)
    settings = probe(failures=1)
    made.registrations["liveness"] = settings
    made.probes["liveness", ""] = Probe(settings, place="")
    return made


def test_what_is_said_of_it_adds_up_over_its_probes() -> None:
    made = _component()
    made.registrations["readiness"] = probe(kind="readiness", weight=5.0, critical=True, depends_on=("b", "c"))
    made.registrations["startup"] = probe(kind="startup", depends_on=("a", "b"))
    assert (made.weight, made.critical, made.depends_on) == (5.0, True, ("b", "c", "a"))
    assert made.last is None


def test_a_change_is_told_once_with_how_long_the_trouble_lasted() -> None:
    made = _component()
    made.probes["liveness", ""].count("passed")
    assert made.turn(1.0) == Turn(before="unknown", after="healthy", silent_s=0.0)
    assert made.turn(2.0) is None
    made.remember(Check(kind="liveness", place="", outcome="failed", detail="x"), 3.0)
    made.remember(Check(kind="liveness", place="", outcome="failed", detail="y", counted=False), 4.0)
    assert made.detail == "x"
    made.probes["liveness", ""].count("failed")
    assert made.turn(5.0) == Turn(before="healthy", after="unhealthy", silent_s=2.0)
    made.restart()
    assert made.turn(6.0) == Turn(before="unhealthy", after="unknown", silent_s=0.0)


def test_checks_are_bounded_by_number_and_age() -> None:
    made = _component(history_checks=3, history_s=10.0)
    for at in range(5):
        made.remember(Check(kind="liveness", place="", outcome="passed", detail=str(at)), float(at))
    assert [(check.detail, check.ago_s) for check in made.checks(5.0)] == [("2", 3.0), ("3", 2.0), ("4", 1.0)]
    assert [check.detail for check in made.checks(13.5)] == ["4"]
    assert made.last is not None


def test_the_monitors_blindness_counts_for_nothing() -> None:
    made = _component()
    settings = probe(phi=8.0)
    made.probes["liveness", ""] = Probe(settings, place="", heartbeats=Heartbeats(expected_s=1.0, limit=8.0, now=0.0))
    made.probes["readiness", ""] = Probe(probe(kind="readiness"), place="")
    made.availability.turn(False, 0.0)
    made.blind(100.0, gap_s=99.0)
    heartbeats = made.probes["liveness", ""].heartbeats
    assert heartbeats is not None
    assert heartbeats.phi(100.0) < 1.0
    made.availability.turn(True, 100.0)
    assert made.availability.shares(101.0)[3600.0] == 0.5


def test_a_startup_probe_of_the_component_goes_before_those_at_any_place() -> None:
    made = _component()
    made.probes["startup", ""] = startup = Probe(probe(kind="startup"), place="")
    far = made.probes["liveness", "node:a"] = Probe(probe(on="node:a"), place="node:a")
    assert [made.is_wanted(startup), made.is_wanted(far)] == [True, False]
    startup.count("passed")
    assert [made.is_wanted(startup), made.is_wanted(far)] == [False, True]
