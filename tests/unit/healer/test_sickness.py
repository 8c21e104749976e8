"""What the health monitor says becomes incidents, whoever coordinates when."""

from __future__ import annotations

from typing import Any

from actors.healer import messages as m
from actors.healer.sickness import AGAIN_S, FLAPPING, SICK, Sickness
from actors.health.published import HealthStanding, SickNote


def standing(sick: dict[str, SickNote] | None = None, **states: Any) -> HealthStanding:
    more = {name: states.pop(name) for name in ("flapping", "depends_on") if name in states}
    return HealthStanding(score=None, components=states, sick=sick or {}, **more)


def sickness(severity: Any = "high") -> Sickness:
    return Sickness(severity, lambda name: "n1" if name == "cart" else "")


def told(events: list[m.Event]) -> list[tuple[str, str]]:
    return [
        (each.component, each.failure if isinstance(each, m.TroubleReported) else f"over {each.failure}".strip())
        for each in events
        if isinstance(each, m.TroubleReported | m.TroubleEnded)
    ]


def test_who_falls_sick_is_reported_with_all_that_is_known() -> None:
    seen = sickness()
    assert told(seen.of(standing(cart="unknown"), 0.0)) == []
    note = SickNote(detail="no answer", silent_s=2.0, child="cart")
    (trouble,) = seen.of(standing({"shop": note}, cart="unknown", shop="unhealthy"), 1.0)
    assert trouble == m.TroubleReported(
        component="shop",
        failure=SICK,
        severity="high",
        detail="no answer",
        source="health",
        began_ago_s=2.0,
        node="n1",
        child="cart",
    )
    assert told(seen.of(standing(shop="unhealthy"), 2.0)) == []
    assert told(seen.of(standing(shop="healthy"), 3.0)) == [("shop", "over")]
    assert told(seen.of(standing(shop="healthy"), 4.0)) == []


def test_what_lasts_is_reported_again() -> None:
    seen = sickness()
    assert told(seen.of(standing(db="unhealthy"), 0.0)) == [("db", SICK)]
    assert told(seen.of(standing(db="unhealthy"), AGAIN_S - 1)) == []
    assert told(seen.of(standing(db="unhealthy"), AGAIN_S)) == [("db", SICK)]


def test_how_things_stand_at_the_beginning_counts() -> None:
    seen = sickness()
    found = told(seen.of(standing(db="unhealthy", web="healthy", new="unknown"), 0.0))
    assert found == [("db", SICK), ("web", f"over {SICK}"), ("web", f"over {FLAPPING}")]


def test_a_new_life_of_a_child_that_is_sick_again_is_told_again() -> None:
    seen = sickness()
    seen.of(standing(cart="unhealthy"), 0.0)
    assert told(seen.of(standing(cart="unknown"), 1.0)) == []
    assert told(seen.of(standing(cart="unhealthy"), 2.0)) == [("cart", SICK)]
    assert told(seen.of(standing(cart="unready"), 3.0)) == []
    assert told(seen.of(standing(cart="healthy"), 4.0)) == [("cart", "over")]


def test_what_changes_all_the_time_is_a_trouble_of_its_own() -> None:
    seen = sickness()
    seen.of(standing(db="unhealthy"), 0.0)
    assert told(seen.of(standing(db="unhealthy", flapping=("db",)), 1.0)) == [("db", FLAPPING)]


def test_causes_come_before_what_they_cause_and_are_told_as_such() -> None:
    seen = sickness()
    needs = {"api": ("db",), "web": ("api",)}
    first, *others = seen.of(standing(web="unhealthy", api="unhealthy", db="unhealthy", depends_on=needs), 0.0)
    assert first == m.DependenciesChanged(depends_on=needs, by="health")
    assert told(others) == [("db", SICK), ("api", SICK), ("web", SICK)]
    assert seen.of(standing(web="unhealthy", depends_on=needs), 1.0) == []


def test_where_sickness_is_no_incident_only_dependencies_are_told() -> None:
    seen = sickness(None)
    assert seen.of(standing(db="unhealthy"), 0.0) == []
    assert len(seen.of(standing(db="unhealthy", depends_on={"web": ("db",)}), 1.0)) == 1


def test_a_component_that_is_no_more_is_forgotten() -> None:
    seen = sickness()
    seen.of(standing(db="unhealthy"), 0.0)
    assert seen.of(standing(), 1.0) == []
    assert told(seen.of(standing(db="healthy"), 2.0)) == []
