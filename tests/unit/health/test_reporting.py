"""A component is told with what it depends on; one that nobody knows is None."""

from __future__ import annotations

from typing import Any

from actors.health.answers import Outcome
from actors.health.component import Component
from actors.health.probe import Probe
from actors.health.reporting import caused_by, component_health, sick_nodes, system_health
from actors.health.settings import ProbeKind
from tests.unit.health.scene import probe, quiet

SETTINGS = quiet()


def _made(*, failing: bool, **fields: Any) -> Component:
    made = Component(SETTINGS, now=0.0)
    settings = made.registrations["liveness"] = probe(failures=1, **fields)
    made.probes["liveness", ""] = watched = Probe(settings, place="")
    watched.count("failed" if failing else "passed")
    made.turn(1.0)
    return made


def test_one_and_all_are_told_the_same() -> None:
    components = {"db": _made(failing=True), "web": _made(failing=False, depends_on=("db", "elsewhere"))}
    needs = {name: each.depends_on for name, each in components.items()}
    whole = system_health(components, needs, (), SETTINGS, blind="", now=5.0)
    for name in components:
        assert component_health(name, components, needs, SETTINGS, now=5.0) == whole.components[name]
    web = whole.components["web"]
    assert (web.score, web.caused_by, web.since_s, web.state) == (50.0, ("db",), 4.0, "healthy")
    assert whole.score == 25.0
    assert caused_by("db", components, needs) == ()
    assert component_health("elsewhere", components, needs, SETTINGS, now=5.0) is None


def test_a_node_is_sick_where_a_probe_that_runs_there_is_failing() -> None:
    known = _made(failing=False, on="every_node")
    places: tuple[tuple[ProbeKind, str, Outcome], ...] = (
        ("liveness", "node:n1", "failed"),
        ("liveness", "node:n2", "passed"),
        ("liveness", "node:n3", "unreachable"),
        ("readiness", "node:n4", "failed"),
        ("startup", "node:n5", "timed_out"),
        ("liveness", "child:n6", "failed"),
    )
    for kind, place, outcome in places:
        known.probes[kind, place] = there = Probe(probe(kind=kind, failures=1), place=place)
        there.count(outcome)
    assert sick_nodes({"disk": known, "db": _made(failing=True)}) == ("n1", "n5")
